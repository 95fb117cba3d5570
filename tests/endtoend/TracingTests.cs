using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using Stripe;
using Stripe.Billing;
using Xunit;

namespace StripeMeter.EndToEnd.Tests;

/// <summary>One trace goes from the REST call to the call of Stripe.</summary>
public sealed class TracingTests : IAsyncLifetime
{
    private readonly ConcurrentQueue<Activity> _spans = [];
    private readonly ActivityListener _listener;
    private EmbeddedSystem _system = null!;

    public TracingTests() => _listener = new ActivityListener
    {
        ShouldListenTo = source => source.Name.StartsWith("StripeMeter.", StringComparison.Ordinal)
            || source.Name is "Microsoft.AspNetCore" or "System.Net.Http",
        Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
        ActivityStopped = _spans.Enqueue,
    };

    public async ValueTask InitializeAsync()
    {
        ActivitySource.AddActivityListener(_listener);
        // The sweep comes when it is woken: a sweep of the cadence would find the counter before its trace is known.
        _system = await EmbeddedSystem.StartAsync(settings: new() { ["STRIPE_WRITER_INTERVAL_MS"] = "60000", ["PUSH_WAKE_DELAY_MS"] = "100" });
    }

    public async ValueTask DisposeAsync()
    {
        await _system.DisposeAsync();
        _listener.Dispose();
    }

    [Fact]
    public async Task Ingest_OfOneEvent_IsOneTraceUpToStripe()
    {
        var trace = ActivityTraceId.CreateRandom();
        await MapAsync();

        await IngestAsync(trace, "k1");

        string[] expected = ["gateway.ingest", "ingest.publish", "aggregator.fold", "aggregator.announce", "pusher.sweep", "pusher.push"];
        await EmbeddedSystem.UntilAsync(() => Task.FromResult(expected.All(name => Spans(trace).Contains(name))), "the trace is whole");
        var called = string.Join('\n', _spans.Where(span => span.TraceId == trace).Select(span => span.GetTagItem("url.full")));
        Assert.Contains("/v1/billing/meter_events", called, StringComparison.Ordinal);
        Assert.Contains("/actors/CounterShard/", called, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Publication_OfOneEvent_IsOneTraceUpToStripe()
    {
        var trace = ActivityTraceId.CreateRandom();
        await MapAsync();

        using var sidecar = new HttpClient { BaseAddress = new Uri(_system.Publisher.HttpEndpoint) };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1.0/publish/pubsub/usage.events");
        request.Headers.Add("traceparent", $"00-{trace}-{ActivitySpanId.CreateRandom()}-01");
        request.Content = new StringContent(EventOf("published"), Encoding.UTF8, "application/json");
        using var response = await sidecar.SendAsync(request);
        Assert.True(response.IsSuccessStatusCode);

        string[] expected = ["ingest.take", "ingest.publish", "aggregator.fold", "pusher.sweep", "pusher.push"];
        await EmbeddedSystem.UntilAsync(() => Task.FromResult(expected.All(name => Spans(trace).Contains(name))), "the trace is whole");
    }

    /// <summary>What a request caused is in its trace however much later it is sent: the intent keeps the trace.</summary>
    [Fact]
    public async Task Push_AfterARestart_IsInTheTraceOfItsEvent()
    {
        var trace = ActivityTraceId.CreateRandom();
        await MapAsync();
        using var stripe = new HttpClient { BaseAddress = new Uri(_system.StripeBase) };
        using var faults = await stripe.PostAsJsonAsync("/_double/faults", new { rate_limit = 1000 });
        Assert.True(faults.IsSuccessStatusCode);
        await IngestAsync(trace, "delayed");
        await EmbeddedSystem.UntilAsync(
            async () => (await _system.GetAsync("/v1/deltas?tenantId=traced"))["deltas"]!.AsArray().Any(delta => (int?)delta!["openIntent"]?["attempts"] > 0),
            "Stripe was asked and failed");

        _system = await _system.RestartAsync();

        await EmbeddedSystem.UntilAsync(
            async () => (await _system.GetAsync("/v1/deltas?tenantId=traced"))["deltas"]!.AsArray().Any(delta => (int?)delta!["accepted"] == 1), "it is sent");
        Assert.Contains("pusher.send", Spans(trace));
    }

    private IEnumerable<string> Spans(ActivityTraceId trace) =>
        _spans.Where(span => span.TraceId == trace).Select(span => span.OperationName);

    private async Task MapAsync()
    {
        var meter = await _system.Stripe.V1.Billing.Meters.CreateAsync(new MeterCreateOptions
        {
            DisplayName = "m", EventName = "m", DefaultAggregation = new MeterDefaultAggregationOptions { Formula = "sum" },
        });
        var price = await _system.Stripe.V1.Prices.CreateAsync(new PriceCreateOptions
        {
            Currency = "usd", UnitAmountDecimal = 1, ProductData = new PriceProductDataOptions { Name = "m" },
            Recurring = new PriceRecurringOptions { Interval = "month", UsageType = "metered", Meter = meter.Id },
        });
        using var content = new StringContent(
            $$"""{"tenantId":"traced","metric":"m","aggregation":"sum","stripeAccount":"default","priceId":"{{price.Id}}"}""",
            Encoding.UTF8, "application/json");
        using var response = await _system.Rest.PostAsync(new Uri("/v1/mappings", UriKind.Relative), content);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    private async Task IngestAsync(ActivityTraceId trace, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/events/ingest");
        request.Headers.Add("traceparent", $"00-{trace}-{ActivitySpanId.CreateRandom()}-01");
        request.Content = new StringContent($$"""{"events":[{{EventOf(key)}}]}""", Encoding.UTF8, "application/json");
        using var response = await _system.Rest.SendAsync(request);
        Assert.True(response.IsSuccessStatusCode);
    }

    private static string EventOf(string key)
    {
        var time = TimeProvider.System.GetUtcNow().ToString("O", CultureInfo.InvariantCulture);
        return $$"""{"tenantId":"traced","metric":"m","customerRef":"cus_traced","quantity":1,"ts":"{{time}}","idempotencyKey":"{{key}}"}""";
    }
}
