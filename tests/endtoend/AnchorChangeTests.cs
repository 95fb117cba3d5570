using System.Globalization;
using System.Net.Http.Json;
using Stripe.Billing;
using Xunit;

namespace StripeMeter.EndToEnd.Tests;

/// <summary>A customer whose billing periods are cut anew when usage was told already, from the event to Stripe's meter.</summary>
public sealed class AnchorChangeTests : IAsyncLifetime
{
    private const string Tenant = "acme";
    private const string Customer = "cus_moved";
    private static readonly DateTime Now = TimeProvider.System.GetUtcNow().UtcDateTime;
    private EmbeddedSystem _system = null!;

    public async ValueTask InitializeAsync() =>
        _system = await EmbeddedSystem.StartAsync(settings: new() { ["PUSH_CUT_WAIT_MS"] = "0", ["PUSH_WAKE_DELAY_MS"] = "50" });

    public ValueTask DisposeAsync() => _system.DisposeAsync();

    [Fact]
    public async Task Change_AfterUsageWasTold_LeavesStripeWithWhatEachPeriodHas()
    {
        var meter = await MeterAsync();
        // Somewhere within a period, whatever day it is.
        await AnchorAsync(Now.AddDays(-10));
        await CountAsync("a", 4, Now.AddMinutes(-40));
        await UntilToldAsync(meter, "4", Now.AddHours(-1), Now.AddHours(1));
        // Told with the timestamp of the newest, which lies behind the cut to come; the older belongs before it.
        await CountAsync("b", 6, Now.AddMinutes(-5), ("c", 1, Now.AddMinutes(-30)));
        await UntilToldAsync(meter, "11", Now.AddHours(-1), Now.AddHours(1));
        var cut = Minute(Now.AddMinutes(-20));

        await AnchorAsync(cut);

        await UntilToldAsync(meter, "5", Now.AddHours(-1), cut);
        await UntilToldAsync(meter, "6", cut, Now.AddHours(1));
        await EmbeddedSystem.UntilAsync(
            async () => (await _system.GetAsync($"/v1/deltas?tenantId={Tenant}"))["deltas"]!.AsArray().All(static delta => delta!["outstanding"]!.ToJsonString() == "0"),
            "nothing is outstanding");
    }

    private async Task<string> MeterAsync()
    {
        var meter = await _system.Stripe.V1.Billing.Meters.CreateAsync(new MeterCreateOptions
        {
            DisplayName = "calls", EventName = "calls", DefaultAggregation = new MeterDefaultAggregationOptions { Formula = "sum" },
        });
        await PostAsync("/v1/mappings", new { tenantId = Tenant, metric = "calls", aggregation = "sum", meterId = meter.Id });
        return meter.Id;
    }

    private Task AnchorAsync(DateTime from) =>
        PostAsync("/v1/anchors", new { tenantId = Tenant, customerRef = Customer, effectiveFrom = Text(from), billingCycleAnchor = Text(from) });

    private Task CountAsync(string key, long quantity, DateTime at, params (string Key, long Quantity, DateTime At)[] more) =>
        PostAsync("/v1/events/ingest", new
        {
            events = more.Prepend((key, quantity, at)).Select(static counted => new
            {
                tenantId = Tenant, metric = "calls", customerRef = Customer, quantity = counted.Item2, idempotencyKey = counted.Item1, ts = Text(counted.Item3),
            }),
        });

    private async Task PostAsync(string path, object body)
    {
        using var response = await _system.Rest.PostAsJsonAsync(path, body);
        Assert.True(response.IsSuccessStatusCode, $"{path} answered {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
    }

    private Task UntilToldAsync(string meter, string total, DateTime from, DateTime to) => EmbeddedSystem.UntilAsync(
        async () =>
        {
            var summaries = await _system.Stripe.V1.Billing.Meters.EventSummaries.ListAsync(meter, new MeterEventSummaryListOptions
            {
                Customer = Customer, StartTime = Minute(from), EndTime = Minute(to), Limit = 100,
            });
            return summaries.Sum(static summary => summary.AggregatedValue).ToString(CultureInfo.InvariantCulture) == total;
        },
        $"Stripe has {total} from {from:O} to {to:O}");

    private static DateTime Minute(DateTime moment) => new(moment.Ticks - (moment.Ticks % TimeSpan.TicksPerMinute), DateTimeKind.Utc);

    private static string Text(DateTime moment) => moment.ToString("O", CultureInfo.InvariantCulture);
}
