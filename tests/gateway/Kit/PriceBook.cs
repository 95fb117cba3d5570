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

    /// <summary>Makes Stripe unreachable.</summary>
    public ValueTask StopAsync() => _host.DisposeAsync();

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
