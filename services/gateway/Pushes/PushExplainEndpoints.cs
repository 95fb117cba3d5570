using StripeMeter.Defaults.Access;
using StripeMeter.Gateway.Access;
using StripeMeter.Gateway.Deltas;
using StripeMeter.Gateway.OpenApi;
using StripeMeter.Gateway.Requests;
using StripeMeter.Metering.Identity;
using StripeMeter.V1;
using PushCalls = StripeMeter.V1.PushExplainService.PushExplainServiceClient;

namespace StripeMeter.Gateway.Pushes;

/// <summary>What a Stripe meter event told of the ledger.</summary>
/// <param name="Push">The push.</param>
/// <param name="Records">The events and corrections behind it. May be fewer than the limit although there is a next page.</param>
/// <param name="NextCursor">Where the next page begins. Absent on the last.</param>
public sealed record PushExplanation(ExplainedPushAnswer Push, IReadOnlyList<ToldRecordAnswer> Records, string? NextCursor);

/// <summary>The pushes that carried an event: those tried in vain, and of each meter the first that Stripe took.</summary>
/// <param name="Pushes">None if no push has it yet. May be fewer than the limit although there is a next page.</param>
/// <param name="NextCursor">Where the next page begins. Absent on the last.</param>
public sealed record EventPushes(IReadOnlyList<ExplainedPushAnswer> Pushes, string? NextCursor);

/// <summary>A push, where it went, and which stretches of the ledger it told.</summary>
/// <param name="StripeAccount">acct_…</param>
/// <param name="Livemode">False for Stripe's test mode and for the double.</param>
/// <param name="MeterId">mtr_…</param>
/// <param name="StripeCustomer">The Stripe customer.</param>
/// <param name="PeriodStart">Start of the billing period, inclusive.</param>
/// <param name="PeriodEnd">Its end, exclusive.</param>
/// <param name="Intent">The push.</param>
/// <param name="Counters">What it told of each counter.</param>
public sealed record ExplainedPushAnswer(
    string StripeAccount, bool Livemode, string MeterId, string StripeCustomer, string? PeriodStart, string? PeriodEnd, IntentAnswer Intent,
    IReadOnlyList<ToldCounterAnswer> Counters)
{
    internal static ExplainedPushAnswer Of(ExplainedPush push) => new(
        push.StripeAccount, push.Livemode, push.MeterId, push.StripeCustomer, RestTime.Write(push.PeriodStart), RestTime.Write(push.PeriodEnd),
        DeltaEndpoints.ToAnswer(push.Intent),
        [.. push.Counters.Select(counter => new ToldCounterAnswer(
            counter.Metric, counter.CustomerRef, counter.BehindPosition, counter.Position, counter.Recounted ? true : null))]);
}

/// <summary>What a push told of one counter.</summary>
/// <param name="Metric">The metric.</param>
/// <param name="CustomerRef">The customer.</param>
/// <param name="BehindPosition">What the push before had told; 0 if there was none.</param>
/// <param name="Position">The last record in the counter when the push was made.</param>
/// <param name="Recounted">The counter was counted anew in between, so every record up to the position may be behind it.</param>
public sealed record ToldCounterAnswer(string Metric, string CustomerRef, long BehindPosition, long Position, bool? Recounted);

/// <summary>A record of the ledger that was told.</summary>
/// <param name="Metric">The metric.</param>
/// <param name="CustomerRef">The customer.</param>
/// <param name="IdempotencyKey">Key of the event. Absent for a correction.</param>
/// <param name="AdjustmentId">The correction. Absent for an event.</param>
/// <param name="Quantity">What it adds.</param>
/// <param name="Timestamp">When it happened.</param>
/// <param name="Shard">The shard of the ledger.</param>
/// <param name="Position">Its place in the shard.</param>
public sealed record ToldRecordAnswer(
    string Metric, string CustomerRef, string? IdempotencyKey, string? AdjustmentId, ExactNumber Quantity, string? Timestamp, int Shard, long Position)
{
    internal static ToldRecordAnswer Of(ToldRecord record) => new(
        record.Metric, record.CustomerRef, record.IdempotencyKey.OrNull(),
        record.AdjustmentId.OrNull(), new ExactNumber(record.Quantity), RestTime.Write(record.Timestamp), record.Shard,
        record.Position);
}

/// <summary>From a Stripe identifier to the events behind it, and back.</summary>
internal static class PushExplainEndpoints
{
    private const string Tag = "Explain";
    private static readonly IntegerParameter Limit = CommonParameters.Limit(1_000, 100);
    private static readonly TextParameter Key = new("idempotencyKey", "The key the event stands under.", 512) { Required = true };

    public static void MapPushExplaining(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/pushes/{identifier}/explain", ExplainAsync).Describe(
            Tag, "ExplainPush", "The events and corrections behind a Stripe meter event, by its identifier",
            CommonParameters.Tenant, Limit, CommonParameters.Cursor)
            .Allows(AccessKind.Read, Scopes.ReconciliationRead)
            .Refuses(StatusCodes.Status404NotFound);
        routes.MapGet("/v1/pushes", ListAsync).Describe(
            Tag, "ListPushesOfEvent", "The Stripe meter events that carried an event", CommonParameters.Tenant, Key, Limit, CommonParameters.Cursor)
            .Allows(AccessKind.Read, Scopes.ReconciliationRead)
            .Refuses(StatusCodes.Status404NotFound);
    }

    private static async Task<PushExplanation> ExplainAsync(string identifier, HttpContext context, PushCalls pushes)
    {
        var query = new QueryReader(context);
        var request = new ExplainPushRequest
        {
            TenantId = query.Text(CommonParameters.Tenant), Identifier = identifier, PageSize = query.Read(Limit), PageToken = query.Text(CommonParameters.Cursor),
        };
        query.Check();
        var page = await pushes.ExplainPushAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new PushExplanation(
            ExplainedPushAnswer.Of(page.Push), [.. page.Records.Select(ToldRecordAnswer.Of)], page.NextPageToken.OrNull());
    }

    private static async Task<EventPushes> ListAsync(HttpContext context, PushCalls pushes)
    {
        var query = new QueryReader(context);
        var request = new ListPushesOfEventRequest
        {
            TenantId = query.Text(CommonParameters.Tenant), IdempotencyKey = query.Text(Key), PageSize = query.Read(Limit),
            PageToken = query.Text(CommonParameters.Cursor),
        };
        query.Check();
        var found = await pushes.ListPushesOfEventAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new EventPushes([.. found.Pushes.Select(ExplainedPushAnswer.Of)], found.NextPageToken.OrNull());
    }
}
