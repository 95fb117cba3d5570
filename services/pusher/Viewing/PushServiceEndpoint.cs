using Grpc.Core;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Time;
using StripeMeter.V1;
using IntentState = StripeMeter.V1.IntentState;
using PushIntent = StripeMeter.V1.PushIntent;
using StoredIntent = StripeMeter.Metering.Pushing.PushIntent;

namespace StripeMeter.Pusher.Viewing;

/// <summary>Shows the delta ledger, period by period.</summary>
internal sealed class PushServiceEndpoint(IMeterStore store, PushProtocol protocol, ShadowComparer comparer, TimeProvider clock) : PushService.PushServiceBase
{
    [Access(AccessKind.Read, Scopes.ReconciliationRead)]
    public override async Task<ListDeltasResponse> ListDeltas(ListDeltasRequest request, ServerCallContext context)
    {
        var deltas = store.Of(Requests.Tenant(request.TenantId)).Deltas;
        var size = Requests.PageSize(request.PageSize);
        var cursor = Requests.Cursor<Cursor>(request.PageToken);
        var query = new DeltaQuery
        {
            Metric = request.Metric.Length > 0 ? request.Metric : null,
            Customer = request.CustomerRef.Length > 0 ? request.CustomerRef : null,
            From = cursor?.Key,
            Limit = size + 2,
        };
        var documents = await deltas.ListAsync(query, context.CancellationToken).ConfigureAwait(false);
        var lines = documents.SelectMany(document => PeriodsOf(document, query).Select(delta => (Document: document, Delta: delta)))
            .SkipWhile(line => cursor is not null && line.Document.Key == cursor.Key && line.Delta.Period.Start.Ticks <= cursor.PeriodStart)
            .Take(size + 1).ToList();
        var response = new ListDeltasResponse();
        response.Deltas.AddRange(lines.Take(size).Select(line => ToWire(line.Document, line.Delta)));
        if (lines.Count > size)
            response.NextPageToken = PageToken.Write(new Cursor(lines[size - 1].Document.Key, lines[size - 1].Delta.Period.Start.Ticks));
        else if (documents.Count == query.Limit)
            response.NextPageToken = PageToken.Write(new Cursor(documents[^1].Key, long.MaxValue));
        return response;
    }

    [Access(AccessKind.Read, Scopes.ReconciliationRead)]
    public override async Task<CompareShadowResponse> CompareShadow(CompareShadowRequest request, ServerCallContext context)
    {
        var size = Requests.PageSize(request.PageSize);
        var from = Requests.Cursor<ComparedCursor>(request.PageToken)?.Place;
        var page = await comparer.CompareAsync(
            store.Of(Requests.Tenant(request.TenantId)), request.Metric, from, size, context.CancellationToken).ConfigureAwait(false);
        var response = new CompareShadowResponse { NextPageToken = page.Next is { } next ? PageToken.Write(new ComparedCursor(next)) : "" };
        response.Comparisons.AddRange(page.Lines.Select(ToWire));
        return response;
    }

    private static ShadowComparison ToWire(ComparedUsage line) => new()
    {
        Metric = line.Metric,
        PeriodStart = line.Billed.Period.Start.ToTimestamp(),
        StripeCustomer = line.StripeCustomer,
        ShadowStripeCustomer = line.ShadowStripeCustomer,
        Target = line.Billed.Target.ToString(),
        Accepted = line.Billed.Accepted.ToString(),
        ShadowTarget = (line.Shadow?.Target ?? Quantity.Zero).ToString(),
        ShadowAccepted = (line.Shadow?.Accepted ?? Quantity.Zero).ToString(),
        Difference = ((line.Shadow?.Accepted ?? Quantity.Zero) - line.Billed.Accepted).ToString(),
    };

    /// <summary>A document may have none: it may only know when its customer's subscription began.</summary>
    private static IEnumerable<PeriodDelta> PeriodsOf(DeltaDocument document, DeltaQuery query) => document.Periods.Where(delta =>
        delta.Contributions.Any(counter =>
            (query.Metric is null || counter.Metric == query.Metric) && (query.Customer is null || counter.Customer == query.Customer))
        || (query.Metric is null && query.Customer is null && (delta.Accepted, delta.CarriedIn, delta.CarriedOut) != default));

    private Delta ToWire(DeltaDocument document, PeriodDelta delta) => new()
    {
        StripeAccount = document.Key.Account,
        Livemode = document.Key.Livemode,
        MeterId = document.Key.MeterId,
        StripeCustomer = document.Key.StripeCustomer,
        PeriodStart = delta.Period.Start.ToTimestamp(),
        Target = delta.Target.ToString(),
        Accepted = delta.Accepted.ToString(),
        Outstanding = delta.Outstanding.ToString(),
        OpenIntent = document.Open is { } open && document.PeriodOf(open).Period.Start == delta.Period.Start ? ToWire(open) : null,
        Problem = document.Problem,
        Parked = document.ParkedSince is not null,
        PeriodEnd = delta.Period.End.ToTimestamp(),
        CarriedIn = delta.CarriedIn.ToString(),
        CarriedOut = delta.CarriedOut.ToString(),
        Unbilled = protocol.Ends.UnbilledOf(delta, Instant.Of(clock.GetUtcNow())).ToString(),
        Confirmed = delta.Confirmed.ToString(),
        Deadline = protocol.Ends.DeadlineOf(delta).ToTimestamp(),
        Checking = { document.Checking.Where(intent => document.PeriodOf(intent).Period.Start == delta.Period.Start).Select(ToWire) },
    };

    internal static PushIntent ToWire(StoredIntent intent) => new()
    {
        Identifier = intent.Identifier,
        Value = intent.Value.ToString(),
        Minute = intent.Minute.ToTimestamp(),
        // The same numbers there and on disk.
        State = (IntentState)intent.State,
        Attempts = intent.Attempts,
        LastError = intent.LastError,
        Report = intent.Report,
        Total = intent.Total?.ToString() ?? "",
        FirstSent = intent.FirstSent?.ToTimestamp(),
    };

    private sealed record Cursor(DeltaKey Key, long PeriodStart);

    private sealed record ComparedCursor(DeltaKey Place);
}
