using Stripe;
using Stripe.Billing;
using StripeMeter.StripeDouble;

namespace StripeMeter.Gateway.Tests.Kit;

/// <summary>A Stripe double in which a test makes prices.</summary>
public sealed class PriceBook : IAsyncDisposable
{
    private const string PricePath = "/v1/prices/";
    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-tests-").FullName;
    private StripeDoubleHost _host = null!;
    private StripeClient _client = null!;
    private string _meter = "";

    public string Address => _host.BaseAddress.ToString();

    public string AccountId => _host.AccountId;

    /// <summary>How often a price was asked for.</summary>
    public int Asked => _host.Requests.Count(request =>
        request.Method == "GET" && request.Path.StartsWith(PricePath, StringComparison.Ordinal));

    public static async Task<PriceBook> StartAsync()
    {
        var book = new PriceBook();
        book._host = await StripeDoubleHost.StartAsync(
            new StripeDoubleOptions { DataFile = Path.Combine(book._folder, "stripe.db"), Port = 0 });
        book._client = new StripeClient(new StripeClientOptions { ApiKey = "sk_test_tests", ApiBase = book.Address.TrimEnd('/') });
        var meter = await book._client.V1.Billing.Meters.CreateAsync(new MeterCreateOptions
        {
            DisplayName = "usage",
            EventName = "usage",
            DefaultAggregation = new MeterDefaultAggregationOptions { Formula = "sum" },
        });
        book._meter = meter.Id;
        return book;
    }

    /// <summary>Makes a price by the unit of metered usage, changed as told, and returns its id.</summary>
    public async Task<string> AddAsync(string currency, decimal? unitAmount, Action<PriceCreateOptions>? change = null)
    {
        var options = new PriceCreateOptions
        {
            Currency = currency,
            UnitAmountDecimal = unitAmount,
            ProductData = new PriceProductDataOptions { Name = "usage" },
            Recurring = new PriceRecurringOptions { Interval = "month", UsageType = "metered", Meter = _meter },
        };
        change?.Invoke(options);
        return (await _client.V1.Prices.CreateAsync(options)).Id;
    }

    /// <summary>Grants a customer a credit, effective since 2026 began, for all metered prices unless changed.</summary>
    public Task GrantAsync(string customer, string currency, long value, string name, Action<CreditGrantCreateOptions>? change = null)
    {
        var options = new CreditGrantCreateOptions
        {
            Customer = customer,
            Name = name,
            Category = "promotional",
            EffectiveAt = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc),
            Amount = new CreditGrantAmountOptions { Type = "monetary", Monetary = new CreditGrantAmountMonetaryOptions { Currency = currency, Value = value } },
            ApplicabilityConfig = new CreditGrantApplicabilityConfigOptions { Scope = new CreditGrantApplicabilityConfigScopeOptions { PriceType = "metered" } },
        };
        change?.Invoke(options);
        return _client.V1.Billing.CreditGrants.CreateAsync(options);
    }

    /// <summary>Has a customer use and pay for a period of a price, and returns the invoice and the start of the period.</summary>
    /// <param name="customer">The Stripe customer.</param>
    /// <param name="price">The metered price.</param>
    /// <param name="usage">What the meter takes in the period.</param>
    /// <param name="licensed">A price that is billed as well; none when null.</param>
    public async Task<(Invoice Invoice, DateTime Start)> BillAsync(string customer, string price, string usage, string? licensed = null)
    {
        var subscription = await _client.V1.Subscriptions.CreateAsync(new SubscriptionCreateOptions
        {
            Customer = customer,
            Items = [.. ((string?[])[price, licensed]).OfType<string>().Select(id => new SubscriptionItemOptions { Price = id })],
        });
        var (start, end) = (subscription.Items.Data[0].CurrentPeriodStart, subscription.Items.Data[0].CurrentPeriodEnd);
        await _client.V1.Billing.MeterEvents.CreateAsync(new MeterEventCreateOptions
        {
            EventName = "usage",
            Timestamp = start,
            Payload = new Dictionary<string, string> { ["stripe_customer_id"] = customer, ["value"] = usage },
        });
        await _host.AdvanceAsync(end - start + TimeSpan.FromHours(2));
        var invoices = await _client.V1.Invoices.ListAsync(new InvoiceListOptions { Customer = customer });

        // Beginning a subscription makes an invoice too, of what is paid in advance.
        return (invoices.Single(invoice => invoice.BillingReason == "subscription_cycle"), start);
    }

    /// <summary>Makes Stripe unreachable.</summary>
    public ValueTask StopAsync() => _host.DisposeAsync();

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
