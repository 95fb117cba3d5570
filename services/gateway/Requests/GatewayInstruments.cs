using System.Diagnostics.Metrics;
using StripeMeter.Defaults.Telemetry;

namespace StripeMeter.Gateway.Requests;

/// <summary>What the gateway counts. The names are those of the metrics contract; <c>_total</c> and <c>_seconds</c> are added on export.</summary>
public sealed class GatewayInstruments
{
    private static readonly InstrumentAdvice<double> SecondsBuckets = new()
    {
        HistogramBucketBoundaries = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    };

    private static readonly InstrumentAdvice<double> MillisecondsBuckets = new()
    {
        HistogramBucketBoundaries = [5, 10, 25, 50, 100, 250, 500, 1000, 2500],
    };

    private readonly Counter<long> _requests;
    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _ingestLatency;

    public GatewayInstruments(IMeterFactory meters)
    {
        ArgumentNullException.ThrowIfNull(meters);
        var meter = meters.Create(ServiceTelemetry.Prefix + "Gateway");
        _requests = meter.CreateCounter<long>("http_requests", description: "REST requests, by method, route and status.");
        _duration = meter.CreateHistogram(
            "http_request_duration", "s", "How long REST requests took.", advice: SecondsBuckets);
        _ingestLatency = meter.CreateHistogram(
            "ingest_latency_ms", description: "From the start of an ingest request until its events were stored.",
            advice: MillisecondsBuckets);
    }

    /// <param name="method">HTTP method.</param>
    /// <param name="route">Template of the route, never the address as sent: every value of a label costs memory.</param>
    /// <param name="status">Status answered.</param>
    /// <param name="elapsed">How long it took.</param>
    public void Answered(string method, string route, int status, TimeSpan elapsed)
    {
        var methodTag = new KeyValuePair<string, object?>("method", method);
        var routeTag = new KeyValuePair<string, object?>("route", route);
        _requests.Add(1, methodTag, routeTag, new KeyValuePair<string, object?>("status_code", status));
        _duration.Record(elapsed.TotalSeconds, methodTag, routeTag);
    }

    public void Ingested(TimeSpan elapsed) => _ingestLatency.Record(elapsed.TotalMilliseconds);
}
