using System.Text.Json.Nodes;
using HdrHistogram;

namespace StripeMeter.Bench;

/// <summary>One measured load: how fast it was acknowledged and counted, and at what cost.</summary>
internal sealed record LoadResult
{
    public required string Name { get; init; }

    public required long Events { get; init; }

    public required TimeSpan Acknowledged { get; init; }

    public required TimeSpan Counted { get; init; }

    public required HistogramBase AckMicroseconds { get; init; }

    public required HistogramBase CountedMicroseconds { get; init; }

    public required TimeSpan ProcessorTime { get; init; }

    public required long PeakBytes { get; init; }

    public required long Calls { get; init; }

    public long AcknowledgedPerSecond => (long)(Events / Acknowledged.TotalSeconds);

    public long CountedPerSecond => (long)(Events / Counted.TotalSeconds);
}

/// <summary>
/// Sends a fixed number of events from concurrent callers and watches how far they are counted. The lag of an event is
/// the time from its acknowledgement until the projected positions have reached what was acknowledged by then.
/// </summary>
internal sealed class LoadRun(SystemUnderTest system, HttpClient rest, string tenant, TimeProvider clock)
{
    private const long LongestMicroseconds = 600_000_000;
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan CountPatience = TimeSpan.FromMinutes(5);
    private readonly Queue<(long Events, long At)> _acknowledged = new();
    private readonly Lock _lock = new();
    private long _acknowledgedEvents;
    private long _peakBytes;

    /// <param name="name">Shown in the report.</param>
    /// <param name="events">Events in all.</param>
    /// <param name="batch">Events of a call.</param>
    /// <param name="callers">Callers at once.</param>
    /// <param name="send">Sends one batch and returns, when it is acknowledged, how many of its events are new.</param>
    public async Task<LoadResult> RunAsync(string name, long events, int batch, int callers, Func<int, Task<int>> send)
    {
        var ack = new LongConcurrentHistogram(1, LongestMicroseconds, 3);
        var lag = new LongHistogram(1, LongestMicroseconds, 3);
        var already = await ProjectedAsync();
        var processorBefore = system.ProcessorTime();
        var started = clock.GetTimestamp();
        var calls = events / batch;
        var next = -1L;
        using var stop = new CancellationTokenSource();
        var watch = WatchAsync(already, lag, stop.Token);
        await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref next) < calls)
            {
                var sent = clock.GetTimestamp();
                var appended = await send(batch);
                ack.RecordValue(Math.Max(1, (long)clock.GetElapsedTime(sent).TotalMicroseconds));
                Acknowledge(appended);
            }
        })));
        var acknowledged = clock.GetElapsedTime(started);
        while (await ProjectedAsync() - already < _acknowledgedEvents && clock.GetElapsedTime(started) < CountPatience)
            await Task.Delay(Poll, clock);
        var counted = clock.GetElapsedTime(started);
        await stop.CancelAsync();
        await watch;
        return new LoadResult
        {
            Name = name, Events = calls * batch, Calls = calls, Acknowledged = acknowledged, Counted = counted,
            AckMicroseconds = ack, CountedMicroseconds = lag, ProcessorTime = system.ProcessorTime() - processorBefore,
            PeakBytes = _peakBytes,
        };
    }

    private void Acknowledge(int events)
    {
        lock (_lock)
        {
            _acknowledgedEvents += events;
            _acknowledged.Enqueue((_acknowledgedEvents, clock.GetTimestamp()));
        }
    }

    private async Task WatchAsync(long already, LongHistogram lag, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var projected = await ProjectedAsync() - already;
            _peakBytes = Math.Max(_peakBytes, system.ResidentBytes());
            lock (_lock)
            {
                while (_acknowledged.TryPeek(out var mark) && mark.Events <= projected)
                    lag.RecordValue(Math.Max(1, (long)clock.GetElapsedTime(_acknowledged.Dequeue().At).TotalMicroseconds));
            }

            await Task.Delay(Poll, clock, CancellationToken.None);
        }
    }

    private async Task<long> ProjectedAsync()
    {
        var progress = await rest.GetStringAsync(new Uri($"/v1/counters/progress?tenantId={tenant}", UriKind.Relative));
        return JsonNode.Parse(progress)!["shards"]!.AsArray().Sum(shard => (long)shard!["projected"]!);
    }
}
