using Grpc.Core;
using StripeMeter.Aggregator.Querying;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Adjustments;
using StripeMeter.Metering.Explaining;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.V1;
using DomainTrail = StripeMeter.Metering.Explaining.RecordTrail;
using RecordTrail = StripeMeter.V1.RecordTrail;

namespace StripeMeter.Aggregator.Explaining;

/// <summary>The gRPC face of tracing what was counted and billed.</summary>
public sealed class ExplainServiceEndpoint(IMeterStore store, DeltaReader deltas, TimeProvider clock) : ExplainService.ExplainServiceBase
{
    private const int DefaultPageSize = 100;
    private const int MaximumPageSize = 1_000;

    [Access(AccessKind.Read, Scopes.UsageRead)]
    public override async Task<ExplainEventResponse> ExplainEvent(ExplainEventRequest request, ServerCallContext context)
    {
        var tenant = Requests.Tenant(request.TenantId);
        if (request.IdempotencyKey.Length == 0)
            throw RpcErrors.Invalid("idempotency_key", "is required");
        var explainer = new LedgerExplainer(store.Of(tenant));
        var trail = await explainer.FindAsync(request.IdempotencyKey, context.CancellationToken).ConfigureAwait(false)
            ?? throw RpcErrors.NotFound($"An event under the key '{request.IdempotencyKey}'");
        var series = new EventSeries(trail.Entry.Record.Customer, trail.Entry.Record.Metric);
        var row = await explainer.CounterAsync(series, trail.Period, context.CancellationToken).ConfigureAwait(false);
        var told = await deltas.ReadAsync(tenant, series, trail.Period, context.CancellationToken).ConfigureAwait(false);
        var head = await store.Of(tenant).Ledger.HeadAsync(trail.Entry.Shard, context.CancellationToken).ConfigureAwait(false);
        var response = new ExplainEventResponse
        {
            Trail = ToWire(tenant, trail),
            Counter = row?.ToWire(tenant),
            Settled = row is not null && row.LogId == head.LogId && row.Counter.Version.Position >= trail.SettledAt,
            DeltasUnavailable = told is null,
        };
        response.Deltas.AddRange(told ?? []);
        return response;
    }

    [Access(AccessKind.Read, Scopes.UsageRead)]
    public override async Task<ExplainCounterResponse> ExplainCounter(ExplainCounterRequest request, ServerCallContext context)
    {
        var tenant = Requests.Tenant(request.TenantId);
        var series = new EventSeries(Requests.Customer(request.CustomerRef), Requests.Metric(request.Metric));
        var at = Requests.Time("at_time", request.AtTime) ?? Instant.Of(clock.GetUtcNow());
        var size = Requests.PageSize(request.PageSize, DefaultPageSize, MaximumPageSize);
        Cursor? cursor = null;
        if (request.PageToken.Length > 0 && !PageToken.TryRead(request.PageToken, out cursor))
            throw RpcErrors.Invalid("page_token", "is not one that an answer gave");

        var explainer = new LedgerExplainer(store.Of(tenant));
        var period = await explainer.PeriodAsync(series.Customer, at, context.CancellationToken).ConfigureAwait(false);
        var page = await explainer.ListAsync(series, period, cursor?.ToDomain(), size, context.CancellationToken).ConfigureAwait(false);
        var row = await explainer.CounterAsync(series, period, context.CancellationToken).ConfigureAwait(false);
        var told = cursor is null ? await deltas.ReadAsync(tenant, series, period, context.CancellationToken).ConfigureAwait(false) : [];
        var response = new ExplainCounterResponse
        {
            PeriodStart = period.Start.ToTimestamp(),
            PeriodEnd = period.End.ToTimestamp(),
            Counter = row?.ToWire(tenant),
            NextPageToken = page.Next is { } next ? PageToken.Write(Cursor.Of(next)) : "",
            DeltasUnavailable = told is null,
        };
        response.Trails.AddRange(page.Trails.Select(trail => ToWire(tenant, trail)));
        response.Deltas.AddRange(told ?? []);
        return response;
    }

    private static RecordTrail ToWire(TenantId tenant, DomainTrail trail)
    {
        var (record, isEvent) = (trail.Entry.Record, trail.Entry.Record.Event is not null);
        return new RecordTrail
        {
            Event = isEvent ? trail.Entry.ToWire(tenant) : null,
            AdjustmentId = record.Late ? AdjustmentBook.IdOfLateEvent(record.Key) : record.Control?.Subject ?? "",
            Quantity = trail.Quantity.ToString(),
            Shard = trail.Entry.Shard,
            Position = trail.Entry.Position,
            PeriodStart = trail.Period.Start.ToTimestamp(),
            PeriodEnd = trail.Period.End.ToTimestamp(),
            Standing = (V1.RecordStanding)trail.Standing,
            ApprovePosition = trail.Approval?.Position ?? 0,
            TakenBackPosition = trail.TakenBackBy?.Position ?? 0,
            SessionId = record.Session,
        };
    }

    private sealed record Cursor(long Ticks, int Shard, long Position)
    {
        public static Cursor Of(EventCursor cursor) => new(cursor.Timestamp.Ticks, cursor.Shard, cursor.Position);

        public EventCursor ToDomain() => new("", new Instant(Ticks), Shard, Position);
    }
}
