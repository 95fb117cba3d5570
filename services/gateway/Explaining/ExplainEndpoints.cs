using Google.Protobuf.Collections;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Wire;
using StripeMeter.Gateway.Access;
using StripeMeter.Gateway.Counters;
using StripeMeter.Gateway.Deltas;
using StripeMeter.Gateway.OpenApi;
using StripeMeter.Gateway.Requests;
using StripeMeter.Metering.Identity;
using StripeMeter.V1;
using Explanations = StripeMeter.V1.ExplainService.ExplainServiceClient;

namespace StripeMeter.Gateway.Explaining;

/// <summary>Traces what was counted and billed, in both directions.</summary>
internal static class ExplainEndpoints
{
    private const string Tag = "Explain";
    private static readonly IntegerParameter Limit = CommonParameters.Limit(1_000, 100);
    private static readonly MomentParameter At = new("at", "Any instant of the billing period; now if absent.");

    private static readonly TextParameter Key =
        new("idempotencyKey", "The key the event stands under, whatever characters it has.", 512) { Required = true };

    public static void MapExplaining(this IEndpointRouteBuilder routes)
    {
        const string Summary = "What became of an event: its place in the ledger, its counter, and what Stripe was told";
        routes.MapGet("/v1/events/{idempotencyKey}/explain", ExplainEventAsync)
            .Describe(Tag, "ExplainEvent", Summary, CommonParameters.Tenant)
            .Refuses(StatusCodes.Status404NotFound)
            .Allows(AccessKind.Read, Scopes.UsageRead);
        routes.MapGet("/v1/events/explain", (HttpContext context, Explanations explanations) => ExplainEventAsync(null, context, explanations))
            .Describe(Tag, "ExplainEventByQuery", Summary, CommonParameters.Tenant, Key)
            .Refuses(StatusCodes.Status404NotFound)
            .Allows(AccessKind.Read, Scopes.UsageRead);
        routes.MapGet("/v1/counters/explain", ExplainCounterAsync).Describe(
            Tag, "ExplainCounter", "A counter, and the events and corrections of its billing period",
            CommonParameters.Tenant, CommonParameters.RequiredMetric, CommonParameters.RequiredCustomer, At, Limit, CommonParameters.Cursor)
            .Allows(AccessKind.Read, Scopes.UsageRead);
    }

    private static async Task<EventExplanation> ExplainEventAsync(string? idempotencyKey, HttpContext context, Explanations explanations)
    {
        var query = new QueryReader(context);
        var request = new ExplainEventRequest
        {
            TenantId = query.Text(CommonParameters.Tenant), IdempotencyKey = idempotencyKey ?? query.Text(Key),
        };
        query.Check();
        var found = await explanations.ExplainEventAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new EventExplanation(
            TracedRecord.Of(found.Trail), found.Counter is null ? null : CounterEndpoints.ToAnswer(found.Counter), found.Settled,
            Told(found.Deltas, found.DeltasUnavailable));
    }

    private static async Task<CounterExplanation> ExplainCounterAsync(HttpContext context, Explanations explanations)
    {
        var query = new QueryReader(context);
        var request = new ExplainCounterRequest
        {
            TenantId = query.Text(CommonParameters.Tenant),
            Metric = query.Text(CommonParameters.RequiredMetric),
            CustomerRef = query.Text(CommonParameters.RequiredCustomer),
            AtTime = query.Read(At)?.ToTimestamp(),
            PageSize = query.Read(Limit),
            PageToken = query.Text(CommonParameters.Cursor),
        };
        query.Check();
        var found = await explanations.ExplainCounterAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new CounterExplanation(
            RestTime.Write(found.PeriodStart), RestTime.Write(found.PeriodEnd),
            found.Counter is null ? null : CounterEndpoints.ToAnswer(found.Counter), [.. found.Trails.Select(TracedRecord.Of)],
            Told(found.Deltas, found.DeltasUnavailable || request.PageToken.Length > 0),
            found.NextPageToken.OrNull());
    }

    private static IReadOnlyList<DeltaAnswer>? Told(RepeatedField<Delta> deltas, bool isAbsent) =>
        isAbsent ? null : [.. deltas.Select(DeltaEndpoints.ToAnswer)];
}
