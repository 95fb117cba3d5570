using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Threading.Channels;
using StripeMeter.Defaults.Telemetry;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Time;
using StripeMeter.Metering.Work;
using StripeMeter.Pusher.StripeApi;
using StripeMeter.Pusher.Telemetry;
using StripeMeter.Pusher.Waking;

namespace StripeMeter.Pusher.Driving;

/// <summary>
/// Drives the documents that are due, several at a time and each by one driver only. What waits for Stripe, or between two
/// attempts, holds up nobody else.
/// </summary>
internal sealed partial class DrivingService(
    DueDocuments due, IMeterStore store, IMeterEventSink sink, PushProtocol protocol, StripeAccounts accounts, PusherOptions options,
    PusherInstruments instruments, TimeProvider clock, ILogger<DrivingService> logger) : BackgroundService
{
    private readonly WakeSignal _signal = new(clock);
    private readonly ConcurrentDictionary<TenantDocument, bool> _taken = [];

    private readonly TraceBatch _traces = new();

    private readonly Channel<QueuedDocument> _queue = Channel.CreateBounded<QueuedDocument>(
        new BoundedChannelOptions(options.QueuedDocuments) { SingleWriter = true });

    /// <summary>Has documents that are due be looked for now.</summary>
    /// <param name="traceParent">The span in which they became due, if there is one.</param>
    public void Wake(string? traceParent = null)
    {
        _traces.Add(traceParent);
        _signal.Wake();
    }

    public override void Dispose()
    {
        base.Dispose();
        _signal.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!accounts.IsConfigured)
            return;
        var drivers = Enumerable.Range(0, options.ConcurrentPushes).Select(_ => DriveAsync(stoppingToken)).ToArray();
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                await QueueDueAsync(stoppingToken).ConfigureAwait(false);
                await _signal.WaitAsync(TimeSpan.Zero, options.Interval, stoppingToken).ConfigureAwait(false);
            }
        }
        finally
        {
            // Attempts under way end, and what came of them is entered.
            _queue.Writer.Complete();
            await Task.WhenAll(drivers).ConfigureAwait(false);
        }
    }

    private async Task QueueDueAsync(CancellationToken cancellation)
    {
        try
        {
            var queued = 0;
            var traces = _traces.Take();
            await foreach (var document in due.FindAsync(() => _taken.Count, cancellation).ConfigureAwait(false))
            {
                if (!_taken.TryAdd(document, true))
                    continue;
                await _queue.Writer.WriteAsync(new QueuedDocument(document, traces), cancellation).ConfigureAwait(false);
                queued++;
            }

            // There may be more than one search finds.
            if (queued >= options.WorkPage)
                _signal.Wake();
            instruments.Show(await store.Work.DeltaBacklogAsync(cancellation).ConfigureAwait(false));
        }
        catch (Exception problem) when (problem.IsOfThePiece(cancellation))
        {
            LogSearchFailed(logger, problem);
        }
    }

    private async Task DriveAsync(CancellationToken stopping)
    {
        await foreach (var (document, traces) in _queue.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
        {
            using var activity = ServiceTracing.Start("pusher.push", traces);
            var again = stopping.IsCancellationRequested ? null : await DriveAsync(document, string.Join(' ', traces), stopping).ConfigureAwait(false);
            _taken.TryRemove(document, out _);
            if (again is { } moment)
                _signal.WakeAt(moment.ToOffset());
        }
    }

    /// <summary>When the document is due again; null if that is not known.</summary>
    private async Task<Instant?> DriveAsync(TenantDocument document, string traces, CancellationToken stopping)
    {
        try
        {
            var deltas = store.Of(document.Tenant).Deltas;
            var way = await WayOfAsync(deltas, document, stopping).ConfigureAwait(false);
            var pusher = new DeltaPusher(deltas, way, protocol, clock, Nonce, traces);
            return await pusher.DriveAsync(document.Key, stopping).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The document says how to go on.
            return null;
        }
        catch (Exception problem)
        {
            LogDriveFailed(logger, problem, PersonalData.Pseudonym(document.Key.StripeCustomer), document.Key.MeterId);
            return null;
        }
    }

    private async Task<IMeterEventSink> WayOfAsync(IDeltaLedger deltas, TenantDocument document, CancellationToken cancellation)
    {
        if (await accounts.OfAsync(document.Key, cancellation).ConfigureAwait(false) is not ShadowCalls)
            return sink;
        var told = await deltas.LoadAsync(document.Key, cancellation).ConfigureAwait(false);
        var metric = told?.Periods.SelectMany(delta => delta.Contributions).FirstOrDefault()?.Metric ?? "";
        return new ShadowSink(sink, document.Tenant, metric, instruments);
    }

    /// <param name="Document">What is to be driven.</param>
    /// <param name="Traces">The spans in which it became due.</param>
    private readonly record struct QueuedDocument(TenantDocument Document, IReadOnlyList<string> Traces);

    private static UInt128 Nonce()
    {
        Span<byte> bytes = stackalloc byte[16];
        RandomNumberGenerator.Fill(bytes);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    [LoggerMessage(331, LogLevel.Warning, "Documents that are due could not be looked for; the next round tries again")]
    private static partial void LogSearchFailed(ILogger logger, Exception problem);

    [LoggerMessage(332, LogLevel.Warning, "Pushing {StripeCustomer} on {MeterId} failed; the next round tries again")]
    private static partial void LogDriveFailed(ILogger logger, Exception problem, string stripeCustomer, string meterId);
}
