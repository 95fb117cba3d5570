using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Google.Protobuf.WellKnownTypes;
using Grpc.Net.Client;
using StripeMeter.V1;

namespace StripeMeter.Bench.Pushing;

/// <summary>How far a push of many customers was, and what the system held then.</summary>
internal sealed record PushSample(long Pushed, TimeSpan After, long ResidentBytes);

/// <summary>Many customers whose counters changed, pushed to the Stripe double at the rate of an account.</summary>
internal sealed class PushBench : IDisposable
{
    private const string Tenant = "bench-push";
    private const string Metric = "calls";
    private const int Batch = 500;
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);
    private readonly TimeProvider _clock;
    private readonly SystemUnderTest _system;
    private readonly HttpClient _rest;
    private readonly HttpClient _stripe;
    private readonly GrpcChannel _channel;

    public PushBench(SystemUnderTest system, TimeProvider clock)
    {
        (_system, _clock) = (system, clock);
        _rest = new HttpClient { BaseAddress = system.Rest };
        _stripe = new HttpClient { BaseAddress = system.Stripe };
        _stripe.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "sk_test_double");
        _channel = GrpcChannel.ForAddress(system.Grpc);
    }

    public void Dispose()
    {
        _rest.Dispose();
        _stripe.Dispose();
        _channel.Dispose();
    }

    /// <summary>Counts an event of each customer, then maps the metric, so that all are behind at once; a sample at each tenth.</summary>
    public async Task<IReadOnlyList<PushSample>> PushAsync(int customers)
    {
        await CountAsync(customers);
        var meter = await CreateMeterAsync();
        var started = _clock.GetTimestamp();
        using var mapped = await _rest.PostAsJsonAsync(
            new Uri("/v1/mappings", UriKind.Relative), new { tenantId = Tenant, metric = Metric, aggregation = "sum", meterId = meter });
        mapped.EnsureSuccessStatusCode();
        var samples = new List<PushSample>();
        for (var tenth = 1; tenth <= 10; tenth++)
        {
            var pushed = 0L;
            while (pushed < customers * (long)tenth / 10)
            {
                await Task.Delay(Poll, _clock);
                pushed = (long)(await _stripe.GetFromJsonAsync<JsonNode>(new Uri("/_double/", UriKind.Relative)))!["events_accepted"]!;
            }

            samples.Add(new PushSample(pushed, _clock.GetElapsedTime(started), _system.ResidentBytes()));
        }

        return samples;
    }

    private async Task CountAsync(int customers)
    {
        var ingest = new IngestService.IngestServiceClient(_channel);
        var now = Timestamp.FromDateTimeOffset(_clock.GetUtcNow());
        foreach (var batch in Enumerable.Range(0, customers).Chunk(Batch))
        {
            var request = new IngestEventsRequest();
            request.Events.AddRange(batch.Select(customer => new UsageEvent
            {
                TenantId = Tenant, Metric = Metric, CustomerRef = $"cus_{customer}", Quantity = "1.5", Timestamp = now, IdempotencyKey = $"push-{customer}",
            }));
            await ingest.IngestEventsAsync(request);
        }
    }

    private async Task<string> CreateMeterAsync()
    {
        using var form = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["display_name"] = Metric, ["event_name"] = Metric, ["default_aggregation[formula]"] = "sum",
        });
        using var created = await _stripe.PostAsync(new Uri("/v1/billing/meters", UriKind.Relative), form);
        created.EnsureSuccessStatusCode();
        return (string)(await created.Content.ReadFromJsonAsync<JsonNode>())!["id"]!;
    }
}
