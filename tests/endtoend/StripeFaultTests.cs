using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Grpc.Net.Client;
using Stripe;
using Stripe.Billing;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Time;
using StripeMeter.Defaults.Hosting;
using StripeMeter.V1;
using Xunit;

namespace StripeMeter.EndToEnd.Tests;

/// <summary>From an event to Stripe's meter and back, over separate processes, while Stripe fails and the pusher is killed.</summary>
public sealed class StripeFaultTests : IAsyncLifetime
{
    private const string Tenant = "acme";
    private const string Secret = "whsec_endtoend";
    private const int Customers = 8;
    private const int Rounds = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private readonly ApartSystem _system = new(("STRIPE_WEBHOOK_SECRET", Secret));
    private HttpClient _rest = null!;
    private HttpClient _double = null!;
    private StripeClient _stripe = null!;

    public async ValueTask InitializeAsync()
    {
        await _system.StartAsync();
        _rest = new HttpClient { BaseAddress = _system.Rest };
        _double = new HttpClient { BaseAddress = new Uri(_system.StripeBase) };
        _stripe = new StripeClient(new StripeClientOptions { ApiKey = "sk_test_double", ApiBase = _system.StripeBase });
        await PostAsync(_double, "/_double/webhook", new { url = new Uri(_system.Rest, "/v1/webhooks/stripe"), secret = Secret });
    }

    public async ValueTask DisposeAsync()
    {
        _rest.Dispose();
        _double.Dispose();
        await _system.DisposeAsync();
    }

    [Fact]
    public async Task Push_WhileThePusherIsKilledAndStripeFails_EndsInWhatWasCounted()
    {
        var meter = await _stripe.V1.Billing.Meters.CreateAsync(new MeterCreateOptions
        {
            DisplayName = "calls", EventName = "calls", DefaultAggregation = new MeterDefaultAggregationOptions { Formula = "sum" },
        });
        await PostAsync(_rest, "/v1/mappings", new { tenantId = Tenant, metric = "calls", aggregation = "sum", meterId = meter.Id });
        await AnchorAsync(meter.Id, "cus_0");

        for (var round = 0; round < Rounds; round++)
        {
            await PostAsync(_double, "/_double/faults", new { lose_replies = 4, fail_after_commit = 2, fail_before_commit = 2, rate_limit = 2, conflict = 2 });
            for (var customer = 0; customer < Customers; customer++)
                await CountAsync($"cus_{customer}", "1.5", $"{round}/{customer}");
            await _system.KillAndRestartAppAsync(AppCatalogue.Pusher.Id);
        }

        await UntilTotalsAsync(meter.Id, _ => "4.5");

        // What Stripe accepts and then drops it reports by webhook, and it is told anew.
        await PostAsync(_double, "/_double/faults", new { reject_later = 1, repeat_webhooks = 2 });
        await CountAsync("cus_1", "2", "dropped");
        await UntilTotalsAsync(meter.Id, customer => customer == 1 ? "6.5" : "4.5");
    }

    /// <summary>A monthly subscription that begins now: its webhook moves the customer's periods.</summary>
    private async Task AnchorAsync(string meterId, string customer)
    {
        var price = await _stripe.V1.Prices.CreateAsync(new PriceCreateOptions
        {
            Currency = "usd", UnitAmount = 5, ProductData = new PriceProductDataOptions { Name = "Calls" },
            Recurring = new PriceRecurringOptions { Interval = "month", UsageType = "metered", Meter = meterId },
        });
        var subscription = await _stripe.V1.Subscriptions.CreateAsync(new SubscriptionCreateOptions
        {
            Customer = customer, Items = [new SubscriptionItemOptions { Price = price.Id }],
        });
        using var channel = GrpcChannel.ForAddress(_system.Ingest);
        var anchors = new AnchorService.AnchorServiceClient(channel);
        var anchor = subscription.BillingCycleAnchor;
        await UntilAsync(
            async () =>
            {
                var listed = await anchors.ListAnchorsAsync(new ListAnchorsRequest { TenantId = Tenant, CustomerRef = customer });
                return listed.Changes.Any(change => new PeriodAnchor(change.Anchor.Day, change.Anchor.Minute) == PeriodAnchor.At(Instant.Of(anchor)));
            },
            "the subscription anchors the customer");
    }

    private async Task UntilTotalsAsync(string meterId, Func<int, string> expected)
    {
        for (var customer = 0; customer < Customers; customer++)
        {
            var (name, total) = ($"cus_{customer}", expected(customer));
            await UntilAsync(async () => await ToldAsync(meterId, name) == total, $"{name} has {total} at Stripe");
        }
    }

    private async Task<string> ToldAsync(string meterId, string customer)
    {
        var today = TimeProvider.System.GetUtcNow().UtcDateTime.Date;
        var summaries = await _stripe.V1.Billing.Meters.EventSummaries.ListAsync(meterId, new MeterEventSummaryListOptions
        {
            Customer = customer, StartTime = today.AddDays(-40), EndTime = today.AddDays(2), Limit = 100,
        });
        return summaries.Sum(summary => summary.AggregatedValue).ToString(CultureInfo.InvariantCulture);
    }

    private async Task CountAsync(string customer, string quantity, string key) => await PostAsync(_rest, "/v1/events/ingest", new
    {
        events = new[]
        {
            new
            {
                tenantId = Tenant, metric = "calls", customerRef = customer, quantity, ts = TimeProvider.System.GetUtcNow().ToString("O", CultureInfo.InvariantCulture),
                idempotencyKey = key,
            },
        },
    });

    private static async Task<JsonNode?> PostAsync(HttpClient http, string path, object body)
    {
        using var response = await http.PostAsJsonAsync(new Uri(path, UriKind.Relative), body);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{path} answered {(int)response.StatusCode}: {text}");
        return text.Length > 0 ? JsonNode.Parse(text) : null;
    }

    private static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        using var limit = new CancellationTokenSource(Patience);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        while (!await condition())
        {
            if (limit.IsCancellationRequested)
                Assert.Fail($"It did not come about that {what}.");
            await timer.WaitForNextTickAsync(CancellationToken.None);
        }
    }
}
