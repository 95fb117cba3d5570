using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Grpc.Net.Client;
using Stripe;
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
        var subscription = await SubscribeAsync();
        await AnchoredAsync(subscription.BillingCycleAnchor);
        await _system.KillAsync();
        await _system.StartAsync();

        // What Stripe accepts and then drops is told anew, because a report comes.
        await PostAsync(_double, "/_double/faults", new { reject_later = 1 });
        await CountAsync("cus_dropped", "1");
        await EmbeddedSystem.UntilAsync(async () => await AcceptedAsync() == 1, "the event is sent");
        await PostAsync(_double, "/_double/clock", new { advance_seconds = 10 });
        await EmbeddedSystem.UntilAsync(async () => await AcceptedAsync() == 2, "the event is sent anew");

        await CountAsync(Customer, "7");
        await EmbeddedSystem.UntilAsync(async () => await AcceptedAsync() == 3, "the usage of the subscription is sent");
        // By the clock the deadline is behind the end of the period, until its invoice is final.
        var end = subscription.Items.Data[0].CurrentPeriodEnd;
        Assert.InRange(await DeadlineAsync(), end.AddMinutes(30), end.AddMinutes(61));
        await PostAsync(_double, "/_double/clock", new { advance_seconds = (long)(end - TimeProvider.System.GetUtcNow().UtcDateTime).TotalSeconds + 1 });
        var draft = (await _stripe.V1.Invoices.ListAsync(new InvoiceListOptions { Status = "draft" })).Single();
        var final = await _stripe.V1.Invoices.FinalizeInvoiceAsync(draft.Id);
        await EmbeddedSystem.UntilAsync(async () => await DeadlineAsync() <= final.StatusTransitions.FinalizedAt, "the final invoice moves the deadline");
    }

    private async Task<Subscription> SubscribeAsync()
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
        return await _stripe.V1.Subscriptions.CreateAsync(
            new SubscriptionCreateOptions { Customer = Customer, Items = [new SubscriptionItemOptions { Price = price.Id }] });
    }

    private async Task AnchoredAsync(DateTime anchor)
    {
        using var channel = GrpcChannel.ForAddress(_system.Ingest);
        var anchors = new AnchorService.AnchorServiceClient(channel);
        await EmbeddedSystem.UntilAsync(
            async () =>
            {
                var listed = await anchors.ListAnchorsAsync(new ListAnchorsRequest { TenantId = Tenant, CustomerRef = Customer });
                return listed.Changes.Any(change => (change.Anchor.Day, change.Anchor.Minute) == (anchor.Day, (anchor.Hour * 60) + anchor.Minute));
            },
            "the subscription anchors the customer");
    }

    private Task CountAsync(string customer, string quantity) => PostAsync(_rest, "/v1/events/ingest", new
    {
        events = new[]
        {
            new
            {
                tenantId = Tenant, metric = "calls", customerRef = customer, quantity, idempotencyKey = customer,
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
