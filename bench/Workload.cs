using Google.Protobuf.WellKnownTypes;
using StripeMeter.V1;

namespace StripeMeter.Bench;

/// <summary>
/// Makes events like those of a busy API: 3 metrics, 1,000 customers unless told otherwise, small quantities with decimals, timestamps of now,
/// and a random 128-bit key each, which is the hardest case for an index. A seed makes it repeatable.
/// </summary>
internal sealed class Workload(string tenant, int seed, TimeProvider clock)
{
    private const int AllCustomers = 1_000;
    private static readonly string[] Metrics = ["api_calls", "input_tokens", "output_tokens"];
    private readonly Random _random = new(seed);
    private readonly Lock _lock = new();

    public string Tenant => tenant;

    /// <summary>Customers that events are of, up to 1,000.</summary>
    public int Customers { get; init; } = AllCustomers;

    /// <summary>Metrics that events are of, up to 3.</summary>
    public int MetricCount { get; init; } = Metrics.Length;

    /// <summary>How long ago events happened.</summary>
    public TimeSpan Age { get; init; }

    /// <summary>One of the series that events fall into.</summary>
    public static (string Customer, string Metric) SeriesAt(int index) =>
        (CustomerAt(index % AllCustomers), Metrics[index % Metrics.Length]);

    public IngestEventsRequest NextRequest(int events)
    {
        var request = new IngestEventsRequest();
        var now = Timestamp.FromDateTimeOffset(Rounded(clock.GetUtcNow() - Age));
        lock (_lock)
        {
            for (var index = 0; index < events; index++)
            {
                request.Events.Add(new UsageEvent
                {
                    TenantId = tenant,
                    Metric = Metrics[_random.Next(MetricCount)],
                    CustomerRef = CustomerAt(_random.Next(Customers)),
                    Quantity = FormattableString.Invariant($"{_random.Next(1, 5_000)}.{_random.Next(0, 100):00}"),
                    Timestamp = now,
                    IdempotencyKey = FormattableString.Invariant($"{_random.NextInt64():x16}-{_random.NextInt64():x16}"),
                    Source = EventSource.Sdk,
                });
            }
        }

        return request;
    }

    /// <summary>The same as JSON for REST.</summary>
    public string NextBody(int events)
    {
        var request = NextRequest(events);
        var body = new System.Text.StringBuilder("{\"events\":[");
        for (var index = 0; index < events; index++)
        {
            var usage = request.Events[index];
            if (index > 0)
                body.Append(',');
            body.Append(System.Globalization.CultureInfo.InvariantCulture,
                $$"""{"tenantId":"{{usage.TenantId}}","metric":"{{usage.Metric}}","customerRef":"{{usage.CustomerRef}}","quantity":{{usage.Quantity}},"ts":"{{usage.Timestamp.ToDateTime():yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'}}","idempotencyKey":"{{usage.IdempotencyKey}}","source":"sdk"}""");
        }

        return body.Append("]}").ToString();
    }

    private static string CustomerAt(int index) => FormattableString.Invariant($"cus_{index:0000}");

    private static DateTimeOffset Rounded(DateTimeOffset time) => new(time.Ticks - (time.Ticks % 10_000), time.Offset);
}
