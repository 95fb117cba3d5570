using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.Storage.Sqlite;

namespace StripeMeter.Bench;

/// <summary>The storage engine alone: the same durable, deduplicated appends without services, network or counting.</summary>
internal static class RawEngine
{
    /// <summary>Events per second.</summary>
    public static async Task<long> MeasureAsync(long events, int batch, int callers, TimeProvider clock)
    {
        var folder = Directory.CreateTempSubdirectory("stripemeter-bench-").FullName;
        try
        {
            await using var store = new SqliteMeterStore(folder);
            var tenant = new TenantId("raw");
            var workload = new Workload(tenant.Value, seed: 1, clock);
            var batches = Enumerable.Range(0, (int)(events / batch)).Select(_ => ToEvents(workload.NextRequest(batch))).ToArray();
            var appender = new Appender(tenant, store.Of(tenant).Ledger, (_, _) => TimeSpan.FromHours(48), clock);
            await appender.AppendAsync([new KeyedEvent(batches[0][0].Event, "warm-up")], CancellationToken.None);

            var next = -1;
            var started = clock.GetTimestamp();
            await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(async () =>
            {
                for (var index = Interlocked.Increment(ref next); index < batches.Length; index = Interlocked.Increment(ref next))
                    await appender.AppendAsync(batches[index], CancellationToken.None);
            })));
            return (long)(batches.Length * (long)batch / clock.GetElapsedTime(started).TotalSeconds);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static KeyedEvent[] ToEvents(V1.IngestEventsRequest request) => [.. request.Events.Select(sent => new KeyedEvent(
        new UsageEvent(
            sent.Metric, sent.CustomerRef, "", Quantity.Parse(sent.Quantity), Instant.Of(sent.Timestamp.ToDateTimeOffset()), "",
            EventSource.Sdk),
        sent.IdempotencyKey))];
}
