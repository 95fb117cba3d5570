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
    private static readonly TenantId Tenant = new("raw");

    /// <summary>Events appended per second.</summary>
    public static Task<long> MeasureAsync(long events, int batch, int callers, TimeProvider clock) =>
        WithStoreAsync(null, store => AppendAsync(store, events, batch, callers, clock));

    /// <summary>Events appended per second when series are entered once a shard has so many records without an entry. Null: as it is by default.</summary>
    public static Task<long> MeasureSeriesAsync(int? tailRecords, long events, TimeProvider clock) =>
        WithStoreAsync(tailRecords, store => AppendAsync(store, events, batch: 500, callers: 8, clock));

    /// <summary>How long it takes to read the newest events of one customer and metric, among so many of all.</summary>
    public static Task<TimeSpan> MeasureReadAsync(long events, int page, int reads, TimeProvider clock) =>
        WithStoreAsync(null, async store =>
        {
            await AppendAsync(store, events, batch: 500, callers: 8, clock);
            var ledger = store.Of(Tenant).Ledger;
            var started = clock.GetTimestamp();
            for (var read = 0; read < reads; read++)
            {
                var (customer, metric) = Workload.SeriesAt(read);
                await ledger.QueryAsync(new EventQuery { Customer = customer, Metric = metric, Limit = page }, CancellationToken.None);
            }

            return clock.GetElapsedTime(started) / reads;
        });

    private static async Task<T> WithStoreAsync<T>(int? tailRecords, Func<SqliteMeterStore, Task<T>> measure)
    {
        var folder = Directory.CreateTempSubdirectory("stripemeter-bench-").FullName;
        try
        {
            await using var store = tailRecords is { } records ? new SqliteMeterStore(folder, tailRecords: records) : new SqliteMeterStore(folder);
            return await measure(store);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<long> AppendAsync(SqliteMeterStore store, long events, int batch, int callers, TimeProvider clock)
    {
        var workload = new Workload(Tenant.Value, seed: 1, clock);
        var batches = Enumerable.Range(0, (int)(events / batch)).Select(_ => ToEvents(workload.NextRequest(batch))).ToArray();
        var appender = new Appender(Tenant, store.Of(Tenant).Ledger, (_, _) => TimeSpan.FromHours(48), clock);
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

    private static KeyedEvent[] ToEvents(V1.IngestEventsRequest request) => [.. request.Events.Select(sent => new KeyedEvent(
        new UsageEvent(
            sent.Metric, sent.CustomerRef, "", Quantity.Parse(sent.Quantity), Instant.Of(sent.Timestamp.ToDateTimeOffset()), "",
            EventSource.Sdk),
        sent.IdempotencyKey))];
}
