using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using HdrHistogram;

namespace StripeMeter.Bench.Overloading;

/// <summary>One stretch of requests that come at a fixed rate, whatever becomes of those before.</summary>
/// <param name="Offered">Requests that were sent.</param>
/// <param name="Accepted">How long the accepted ones took, in microseconds.</param>
/// <param name="Refused">Requests that were refused as overload.</param>
/// <param name="PeakBytes">Most memory the system held.</param>
internal sealed record Stretch(long Offered, HistogramBase Accepted, long Refused, long PeakBytes);

/// <summary>What an overload did.</summary>
/// <param name="Capacity">Requests a second that a few callers get through, one after the other.</param>
/// <param name="Normal">At half of that.</param>
/// <param name="Overload">At ten times of it.</param>
/// <param name="Recovery">From the end of the overload until requests are quick again and none is refused.</param>
/// <param name="Acknowledged">Events that were acknowledged in all.</param>
/// <param name="Counted">Events that were counted in the end.</param>
internal sealed record OverloadResult(
    long Capacity, Stretch Normal, Stretch Overload, TimeSpan Recovery, long Acknowledged, long Counted);

/// <summary>
/// Sends ten times of what the system can take. Requests leave by the clock and not when another comes back, as those of many
/// independent clients do; what is refused is dropped, and its body goes out again as a later request.
/// </summary>
internal sealed class OverloadBench(SystemUnderTest system, TimeProvider clock) : IDisposable
{
    public const int EventsOfARequest = 500;
    private const string Tenant = "bench-overload";
    private const int Seed = 20_260_102;
    private const int CapacityCallers = 4;
    private const int Factor = 10;
    private const long LongestMicroseconds = 120_000_000;
    private static readonly TimeSpan CapacityTime = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan RecoveryWindow = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan RecoveryPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan CountPatience = TimeSpan.FromMinutes(5);

    private readonly Workload _workload = new(Tenant, Seed, clock);
    private readonly ConcurrentQueue<byte[]> _unsent = new();
    private readonly HttpClient _http = new(new SocketsHttpHandler { MaxConnectionsPerServer = 4_096 })
    {
        BaseAddress = system.Rest, Timeout = TimeSpan.FromMinutes(2),
    };

    private long _acknowledged;

    public void Dispose() => _http.Dispose();

    /// <param name="duration">Of the overload. The normal stretch takes half of it.</param>
    public async Task<OverloadResult> RunAsync(TimeSpan duration)
    {
        await CapacityAsync();
        var capacity = await CapacityAsync();
        var normal = await StretchAsync(capacity / 2, duration / 2);
        var overload = await StretchAsync(capacity * Factor, duration);
        var recovery = await RecoverAsync(capacity / 2, normal.Accepted.GetValueAtPercentile(99));
        return new OverloadResult(capacity, normal, overload, recovery, _acknowledged, await UntilCountedAsync());
    }

    private async Task<long> CapacityAsync()
    {
        var (started, requests) = (clock.GetTimestamp(), 0L);
        await Task.WhenAll(Enumerable.Range(0, CapacityCallers).Select(_ => Task.Run(async () =>
        {
            while (clock.GetElapsedTime(started) < CapacityTime)
            {
                if (await SendAsync() == HttpStatusCode.OK)
                    Interlocked.Increment(ref requests);
            }
        })));
        return Math.Max(2, (long)(requests / clock.GetElapsedTime(started).TotalSeconds));
    }

    private async Task<Stretch> StretchAsync(long perSecond, TimeSpan duration)
    {
        var (accepted, refused, peak) = (new LongConcurrentHistogram(1, LongestMicroseconds, 3), 0L, 0L);
        var (started, sent) = (clock.GetTimestamp(), 0L);
        var open = new ConcurrentDictionary<Task, byte>();
        for (var watch = 0; clock.GetElapsedTime(started) < duration; watch++)
        {
            for (var due = (long)(clock.GetElapsedTime(started).TotalSeconds * perSecond); sent < due; sent++)
                _ = Track(Task.Run(SendOneAsync));
            if (watch % 20 == 0)
                peak = Math.Max(peak, system.ResidentBytes());
            await Task.Delay(Tick, clock);
        }

        await Task.WhenAll(open.Keys);
        return new Stretch(sent, accepted, refused, Math.Max(peak, system.ResidentBytes()));

        async Task SendOneAsync()
        {
            var begun = clock.GetTimestamp();
            if (await SendAsync() == HttpStatusCode.OK)
                accepted.RecordValue(Math.Clamp((long)clock.GetElapsedTime(begun).TotalMicroseconds, 1, LongestMicroseconds));
            else
                Interlocked.Increment(ref refused);
        }

        async Task Track(Task request)
        {
            open[request] = 0;
            await request.ConfigureAwait(false);
            open.TryRemove(request, out _);
        }
    }

    /// <summary>Until half a second goes by in which nothing is refused and nearly all is as quick as before.</summary>
    private async Task<TimeSpan> RecoverAsync(long perSecond, long normalMicroseconds)
    {
        var started = clock.GetTimestamp();
        while (true)
        {
            var before = clock.GetElapsedTime(started);
            var stretch = await StretchAsync(perSecond, RecoveryWindow);
            if ((stretch.Refused == 0 && stretch.Accepted.GetValueAtPercentile(90) <= 2 * normalMicroseconds) || before > RecoveryPatience)
                return before;
        }
    }

    private async Task<HttpStatusCode> SendAsync()
    {
        if (!_unsent.TryDequeue(out var body))
            body = Encoding.UTF8.GetBytes(_workload.NextBody(EventsOfARequest));
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        try
        {
            using var response = await _http.PostAsync(new Uri("/v1/events/ingest", UriKind.Relative), content);
            await response.Content.LoadIntoBufferAsync();
            if (response.StatusCode == HttpStatusCode.OK)
                Interlocked.Add(ref _acknowledged, EventsOfARequest);
            else if (response.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests && response.Headers.RetryAfter is not null)
                _unsent.Enqueue(body);
            else
                throw new InvalidOperationException($"A request was answered {(int)response.StatusCode}, and not told when to come again.");
            return response.StatusCode;
        }
        catch (HttpRequestException)
        {
            // The connection was closed while the body was on its way: nothing was acknowledged. It is not sent again, as it may count.
            return HttpStatusCode.ServiceUnavailable;
        }
    }

    private async Task<long> UntilCountedAsync()
    {
        var started = clock.GetTimestamp();
        long counted;
        while ((counted = await ProjectedAsync()) < _acknowledged && clock.GetElapsedTime(started) < CountPatience)
            await Task.Delay(Tick, clock);
        return counted;
    }

    private async Task<long> ProjectedAsync()
    {
        var progress = await _http.GetStringAsync(new Uri($"/v1/counters/progress?tenantId={Tenant}", UriKind.Relative));
        return JsonNode.Parse(progress)!["shards"]!.AsArray().Sum(shard => (long)shard!["projected"]!);
    }
}
