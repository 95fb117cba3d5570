using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Grpc.Net.Client;
using Stripe;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Time;
using StripeMeter.V1;
using Xunit;

namespace StripeMeter.EndToEnd.Tests;

/// <summary>What the embedded system's own Stripe double tells, without anybody having set up a webhook.</summary>
public sealed class EmbeddedWebhookTests : IAsyncLifetime
{
    private const string Tenant = "acme";
    private const string Customer = "cus_hooked";
    private readonly SystemProcess _system = new();
    private HttpClient _rest = null!;
    private HttpClient _double = null!;
    private StripeClient _stripe = null!;

    public async ValueTask InitializeAsync()
    {
        await _system.StartAsync();
        _rest = new HttpClient { BaseAddress = _system.Rest };
        _double = new HttpClient { BaseAddress = new Uri(_system.StripeBase) };
        _stripe = new StripeClient(new StripeClientOptions { ApiKey = "sk_test_double", ApiBase = _system.StripeBase });
    }

    public async ValueTask DisposeAsync()
    {
        _rest.Dispose();
        _double.Dispose();
        await _system.DisposeAsync();
    }

    [Fact]
    public async Task Double_TellsOfSubscriptionsRejectionsAndInvoices_AlsoAfterARestart()
    {
        var price = await PriceAsync();
        var subscription = await SubscribeAsync("cus_anchored", price, anchor: null);
        await AnchoredAsync("cus_anchored", subscription.BillingCycleAnchor);
        await _system.KillAsync();
        await _system.StartAsync();

        // What Stripe accepts and then drops is told anew, because a report comes.
        await PostAsync(_double, "/_double/faults", new { reject_later = 1 });
        await CountAsync();
        await EmbeddedSystem.UntilAsync(async () => await AcceptedAsync() == 1, "the event is sent");
        await PostAsync(_double, "/_double/clock", new { advance_seconds = 10 });
        await EmbeddedSystem.UntilAsync(async () => await AcceptedAsync() == 2, "the event is sent anew");

        // By the clock the deadline is behind the end of the month, until its invoice is final.
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        var end = new DateTime(now.Year, now.Month, 1, 0, 0, 0, DateTimeKind.Utc).AddMonths(1);
        Assert.InRange(await DeadlineAsync(), end.AddMinutes(30), end.AddMinutes(61));
        await SubscribeAsync(Customer, price, anchor: end);
        await PostAsync(_double, "/_double/clock", new { advance_seconds = (long)(end - now).TotalSeconds + 1 });
        var draft = (await _stripe.V1.Invoices.ListAsync(new InvoiceListOptions { Status = "draft" })).Single();
        var final = await _stripe.V1.Invoices.FinalizeInvoiceAsync(draft.Id);
        await EmbeddedSystem.UntilAsync(async () => await DeadlineAsync() <= final.StatusTransitions.FinalizedAt, "the final invoice moves the deadline");
    }

    private async Task<string> PriceAsync()
    {
        var meter = await _stripe.V1.Billing.Meters.CreateAsync(new Stripe.Billing.MeterCreateOptions
        {
            DisplayName = "calls", EventName = "calls", DefaultAggregation = new Stripe.Billing.MeterDefaultAggregationOptions { Formula = "sum" },
        });
        await PostAsync(_rest, "/v1/mappings", new { tenantId = Tenant, metric = "calls", aggregation = "sum", meterId = meter.Id });
        var price = await _stripe.V1.Prices.CreateAsync(new PriceCreateOptions
        {
            Currency = "usd", UnitAmount = 5, ProductData = new PriceProductDataOptions { Name = "Calls" },
            Recurring = new PriceRecurringOptions { Interval = "month", UsageType = "metered", Meter = meter.Id },
        });
        return price.Id;
    }

    private Task<Subscription> SubscribeAsync(string customer, string price, DateTime? anchor) => _stripe.V1.Subscriptions.CreateAsync(
        new SubscriptionCreateOptions { Customer = customer, Items = [new SubscriptionItemOptions { Price = price }], BillingCycleAnchor = anchor });

    private async Task AnchoredAsync(string customer, DateTime anchor)
    {
        using var channel = GrpcChannel.ForAddress(_system.Ingest);
        var anchors = new AnchorService.AnchorServiceClient(channel);
        await EmbeddedSystem.UntilAsync(
            async () =>
            {
                var listed = await anchors.ListAnchorsAsync(new ListAnchorsRequest { TenantId = Tenant, CustomerRef = customer });
                return listed.Changes.Any(change => new PeriodAnchor(change.Anchor.Day, change.Anchor.Minute) == PeriodAnchor.At(Instant.Of(anchor)));
            },
            "the subscription anchors the customer");
    }

    private Task CountAsync() => PostAsync(_rest, "/v1/events/ingest", new
    {
        events = new[]
        {
            new
            {
                tenantId = Tenant, metric = "calls", customerRef = Customer, quantity = "7", idempotencyKey = "a",
                ts = TimeProvider.System.GetUtcNow().ToString("O", CultureInfo.InvariantCulture),
            },
        },
    });

    /// <summary>Meter events that the double answered 200, whatever became of them.</summary>
    private async Task<long> AcceptedAsync() => (long)(await ReadAsync(_double, "/_double/"))["events_accepted"]!;

    private async Task<DateTime> DeadlineAsync()
    {
        var deltas = (await ReadAsync(_rest, $"/v1/deltas?tenantId={Tenant}"))["deltas"]!.AsArray();
        return ((DateTimeOffset)deltas.Single(static delta => (string?)delta!["stripeCustomer"] == Customer)!["deadline"]!).UtcDateTime;
    }

    private static async Task<JsonNode> ReadAsync(HttpClient http, string path) =>
        JsonNode.Parse(await http.GetStringAsync(new Uri(path, UriKind.Relative)))!;

    private static async Task PostAsync(HttpClient http, string path, object body)
    {
        using var response = await http.PostAsJsonAsync(new Uri(path, UriKind.Relative), body);
        Assert.True(response.IsSuccessStatusCode, $"{path} answered {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
    }
}
