using Grpc.Core;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Ingest.Controlling;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Replaying;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Time;
using StripeMeter.V1;

namespace StripeMeter.Ingest.Replaying;

/// <summary>The gRPC face of replaying late events and rebuilding counters.</summary>
public sealed class ReplayServiceEndpoint(
    IMeterStore store, ControlAnnouncer announcer, ControlInstruments instruments, TimeProvider clock) : ReplayService.ReplayServiceBase
{
    private const int DefaultReplaySize = 1_000;
    private const int MaximumReplaySize = 10_000;
    private const int DefaultRebuildSize = 100;
    private const int MaximumRebuildSize = 1_000;
    private const int MaximumMetrics = 100;
    private const int ListedCustomers = 1_000;
    private const int RebuildIdLength = 100;

    [Access(AccessKind.Change, Scopes.EventsWrite)]
    public override async Task<ReplayResponse> Replay(ReplayRequest request, ServerCallContext context)
    {
        var tenant = ControlFields.Tenant(request.TenantId);
        var actor = ControlFields.Text("actor", request.Actor, ControlFields.NameLength);
        var size = ControlFields.PageSize(request.PageSize, DefaultReplaySize, MaximumReplaySize);
        if (request.Metrics.Count > MaximumMetrics)
            throw RpcErrors.Invalid("metrics", $"must be at most {MaximumMetrics}");
        var cursor = ControlFields.Cursor<ReplayCursor>("cursor", request.Cursor, static read => read.IsSound());
        // The end stays where the first page saw it, so that events that keep coming do not keep it from ending.
        var range = cursor is null ? RangeOf(request) : new ReplayRange([.. request.Metrics], new Instant(cursor.From), new Instant(cursor.To));

        var replayer = new Replayer(store.Of(tenant).Ledger, clock);
        var page = await replayer.ReadAsync(range, cursor?.ToDomain(), size, context.CancellationToken).ConfigureAwait(false);
        if (request.Apply)
        {
            Call.NoteBefore(new ReplayResponse { Changes = { page.Changes.Select(ToWire) } });
            page = await replayer.ApproveAsync(page, actor, context.CancellationToken).ConfigureAwait(false);
        }

        announcer.Announce(tenant, page.Appended);
        var response = new ReplayResponse
        {
            AppliedCount = page.Appended?.Outcomes.Count(outcome => outcome.Appended) ?? 0,
            Since = range.From.ToTimestamp(),
            Until = range.To.ToTimestamp(),
            Watermark = page.Newest?.ToTimestamp(),
            Cursor = page.Next is { } next ? PageToken.Write(ReplayCursor.Of(next, range)) : "",
        };
        instruments.LateApproved(response.AppliedCount);
        foreach (var change in page.Changes)
            response.Changes.Add(ToWire(change));
        if (cursor is null)
            await CountEventsAsync(replayer, range, response, context.CancellationToken).ConfigureAwait(false);
        return response;
    }

    [Access(AccessKind.Change)]
    public override async Task<RebuildCountersResponse> RebuildCounters(
        RebuildCountersRequest request, ServerCallContext context)
    {
        var tenant = ControlFields.Tenant(request.TenantId);
        var rebuildId = ControlFields.Required("rebuild_id", request.RebuildId, RebuildIdLength);
        var actor = ControlFields.Text("actor", request.Actor, ControlFields.NameLength);
        var size = ControlFields.PageSize(request.PageSize, DefaultRebuildSize, MaximumRebuildSize);
        var cursor = ControlFields.Cursor<RebuildToken>("cursor", request.Cursor);
        var customer = request.CustomerRef.Length > 0 ? ControlFields.Customer(request.CustomerRef) : null;

        var page = await new Rebuilder(store.Of(tenant).Ledger, clock).RepairAsync(
            rebuildId, customer, cursor?.ToDomain(), size, actor, context.CancellationToken).ConfigureAwait(false);
        announcer.Announce(tenant, page.Appended);
        return new RebuildCountersResponse
        {
            CounterCount = page.Counters,
            Cursor = page.Next is { } next ? PageToken.Write(RebuildToken.Of(next)) : "",
        };
    }

    private ReplayRange RangeOf(ReplayRequest request)
    {
        var from = ControlFields.Time("since", request.Since) ?? Instant.Minimum;
        var before = ControlFields.Time("until", request.Until) ?? Instant.Of(clock.GetUtcNow());
        return before > from
            ? new ReplayRange([.. request.Metrics], from, new Instant(before.Ticks - 1))
            : throw RpcErrors.Invalid("until", "must be after since");
    }

    /// <summary>Counts the events of the metrics that were asked for, or of which there is something to say.</summary>
    private static async Task CountEventsAsync(
        Replayer replayer, ReplayRange range, ReplayResponse response, CancellationToken cancellation)
    {
        foreach (var metric in range.Metrics.Union(response.Changes.Select(change => change.Metric)).ToArray())
        {
            var change = response.Changes.FirstOrDefault(candidate => candidate.Metric == metric);
            if (change is null)
                response.Changes.Add(change = new ReplayChange { Metric = metric, CounterDelta = "0" });
            change.EventsFound = await replayer.CountEventsAsync(metric, range, cancellation).ConfigureAwait(false);
        }
    }

    private static ReplayChange ToWire(MetricChange change)
    {
        var wire = new ReplayChange { Metric = change.Metric, LateEvents = change.LateEvents, CounterDelta = change.Delta.ToString() };
        wire.AffectedCustomers.AddRange(change.Customers.Take(ListedCustomers));
        return wire;
    }

    private sealed record ReplayCursor(long Ticks, int Shard, long Position, long From, long To)
    {
        public static ReplayCursor Of(EventCursor cursor, ReplayRange range) =>
            new(cursor.Timestamp.Ticks, cursor.Shard, cursor.Position, range.From.Ticks, range.To.Ticks);

        public EventCursor ToDomain() => new("", new Instant(Ticks), Shard, Position);

        public bool IsSound() =>
            ToDomain().IsPlaceIn(EventOrder.Timestamp) && new Instant(From).IsCovered && new Instant(To).IsCovered;
    }

    private sealed record RebuildToken(string Customer, string Metric, long From)
    {
        public static RebuildToken Of(RebuildCursor cursor) => new(cursor.Customer, cursor.Metric, cursor.From.Ticks);

        public RebuildCursor ToDomain() => new(Customer, Metric, new Instant(From));
    }
}
