using System.Text;
using System.Threading.Channels;
using Grpc.Core;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Telemetry;
using StripeMeter.Gateway.Errors;
using StripeMeter.Metering.Identity;
using StripeMeter.V1;

namespace StripeMeter.Gateway.Events;

/// <summary>
/// Hands events to ingest. Up to a few calls are under way at a time; while they are, the events of other requests
/// gather and share the next call, so that many small requests cost ingest and the sidecars little more than one.
/// </summary>
public sealed class IngestDispatcher(IngestService.IngestServiceClient ingest, GatewayOptions options)
    : BackgroundService
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);
    private readonly Channel<Pending> _waiting = Channel.CreateUnbounded<Pending>();
    private int _pendingEvents;

    /// <summary>Bytes of the tenants' names that one call vouches for. They travel in a header, and sidecars limit those.</summary>
    private const int MaximumCallerNames = 1_024;

    /// <summary>Ingests events. Returns one result per event, in their order.</summary>
    /// <exception cref="RpcException">Ingest does not take the events now; nothing is known to be stored.</exception>
    /// <exception cref="ProblemException">Too many events are waiting.</exception>
    public async Task<IReadOnlyList<IngestResult>> IngestAsync(IReadOnlyList<UsageEvent> events)
    {
        ArgumentNullException.ThrowIfNull(events);
        if (Interlocked.Add(ref _pendingEvents, events.Count) > options.MaximumPendingEvents)
        {
            Interlocked.Add(ref _pendingEvents, -events.Count);
            throw new ProblemException(Problem.Overloaded("Too many events are waiting to be stored.", RetryAfter));
        }

        try
        {
            var pending = new Pending(events);
            if (!_waiting.Writer.TryWrite(pending))
                throw new ProblemException(Problem.Overloaded("The gateway is stopping.", RetryAfter));
            return await pending.Results.Task.ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Add(ref _pendingEvents, -events.Count);
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(Enumerable.Range(0, options.ConcurrentIngestCalls).Select(_ => Task.Run(() => CallAsync(stoppingToken), stoppingToken)));

    /// <summary>Makes one call after the other, until stopped and nothing waits.</summary>
    private async Task CallAsync(CancellationToken stopping)
    {
        await using var _ = stopping.Register(() => _waiting.Writer.TryComplete()).ConfigureAwait(false);
        Pending? first = null;
        while (first is not null || await _waiting.Reader.WaitToReadAsync(CancellationToken.None).ConfigureAwait(false))
        {
            var (batch, next) = Gather(first);
            first = next;
            if (batch.Count > 0)
                await SendAsync(batch).ConfigureAwait(false);
        }
    }

    /// <summary>Takes what waits, as far as it fits into one call. The request that did not fit begins the next.</summary>
    private (List<Pending> Batch, Pending? Next) Gather(Pending? first)
    {
        var batch = new List<Pending>();
        var (count, names) = (0, 0);
        while (first is not null || _waiting.Reader.TryRead(out first))
        {
            var length = batch.Exists(other => other.Caller == first.Caller) ? 0 : NameLengthOf(first.Caller);
            if (count > 0 && (count + first.Events.Count > options.MaximumBatchEvents || names + length > MaximumCallerNames))
                return (batch, first);
            batch.Add(first);
            count += first.Events.Count;
            names += length;
            first = null;
        }

        return (batch, null);
    }

    private static int NameLengthOf(Principal caller) => caller.Tenants.Sum(tenant => Encoding.UTF8.GetByteCount(tenant.Value));

    private async Task SendAsync(List<Pending> batch)
    {
        var request = new IngestEventsRequest { AnswerEach = true };
        var traces = new TraceBatch();
        foreach (var pending in batch)
        {
            request.Events.AddRange(pending.Events);
            traces.Add(pending.TraceParent);
        }

        using var activity = ServiceTracing.Start("gateway.ingest", traces.Take());
        try
        {
            var results = await CallIngestAsync(request, Principal.Together([.. batch.Select(pending => pending.Caller)])).ConfigureAwait(false);
            Answer(batch, results);
        }
        catch (RpcException problem) when (batch.Count > 1 && problem.StatusCode is StatusCode.Internal or StatusCode.Unknown)
        {
            // What makes ingest fail may be in one of the requests: the others are not to suffer from it.
            foreach (var pending in batch)
                await SendAsync([pending]).ConfigureAwait(false);
        }
        catch (Exception problem)
        {
            foreach (var pending in batch)
                pending.Results.TrySetException(problem);
        }
    }

    private async Task<IReadOnlyList<IngestResult>> CallIngestAsync(IngestEventsRequest request, Principal caller)
    {
        using var callers = Call.ActAs(caller);
        var response = await ingest.IngestEventsAsync(request).ConfigureAwait(false);
        return response.Results.Count == request.Events.Count
            ? response.Results
            : throw new RpcException(new Status(StatusCode.Internal, "Ingest answered another number of results than events."));
    }

    private static void Answer(List<Pending> batch, IReadOnlyList<IngestResult> results)
    {
        if (batch.Count == 1)
        {
            batch[0].Results.TrySetResult(results);
            return;
        }

        var start = 0;
        foreach (var pending in batch)
        {
            pending.Results.TrySetResult([.. results.Skip(start).Take(pending.Events.Count)]);
            start += pending.Events.Count;
        }
    }

    private sealed class Pending(IReadOnlyList<UsageEvent> events)
    {
        public IReadOnlyList<UsageEvent> Events { get; } = events;

        /// <summary>The span of the request.</summary>
        public string? TraceParent { get; } = TraceBatch.Current;

        /// <summary>Who sent them. The call is made for all of its callers together, and reaches their tenants alone.</summary>
        public Principal Caller { get; } = Call.Current?.Principal ?? Principal.System;

        public TaskCompletionSource<IReadOnlyList<IngestResult>> Results { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
