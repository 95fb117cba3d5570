using StripeMeter.Defaults.Access;
using StripeMeter.Gateway.Access;
using StripeMeter.Gateway.OpenApi;
using StripeMeter.Gateway.Requests;
using StripeMeter.Metering.Identity;
using StripeMeter.V1;

namespace StripeMeter.Gateway.Deltas;

/// <summary>The delta ledger of a tenant.</summary>
/// <param name="Deltas">In the order of meter, Stripe customer and period.</param>
/// <param name="NextCursor">Where the next page begins. Absent on the last.</param>
public sealed record DeltaPage(IReadOnlyList<DeltaAnswer> Deltas, string? NextCursor);

/// <summary>What Stripe should know of a meter's customer in a billing period, and knows.</summary>
/// <param name="StripeAccount">acct_…, or default.</param>
/// <param name="Livemode">False for Stripe's test mode and for the local double.</param>
/// <param name="MeterId">mtr_…</param>
/// <param name="StripeCustomer">The Stripe customer.</param>
/// <param name="PeriodStart">Start of the billing period, inclusive.</param>
/// <param name="PeriodEnd">Its end, exclusive.</param>
/// <param name="Deadline">From when nothing is sent for the period any more.</param>
/// <param name="Target">What the ledger says.</param>
/// <param name="Accepted">What Stripe accepted.</param>
/// <param name="Outstanding">Target, plus what was carried in, less what was carried out and accepted.</param>
/// <param name="Confirmed">What Stripe's summaries showed when they last agreed with accepted.</param>
/// <param name="CarriedIn">Brought here from periods that could no longer be billed.</param>
/// <param name="CarriedOut">Brought from here into a later period.</param>
/// <param name="Unbilled">Came too late for the invoice and is not carried, so it is billed nowhere.</param>
/// <param name="Problem">Why nothing more is pushed for now. Absent if nothing holds it up.</param>
/// <param name="Parked">Stripe refused too often; nothing is pushed until the mapping is changed.</param>
/// <param name="OpenIntent">The push under way, if there is one.</param>
public sealed record DeltaAnswer(
    string StripeAccount, bool Livemode, string MeterId, string StripeCustomer, string? PeriodStart, string? PeriodEnd,
    string? Deadline, ExactNumber Target, ExactNumber Accepted, ExactNumber Outstanding, ExactNumber? Confirmed, ExactNumber? CarriedIn,
    ExactNumber? CarriedOut, ExactNumber? Unbilled, string? Problem, bool Parked, IntentAnswer? OpenIntent);

/// <summary>One push to Stripe.</summary>
/// <param name="Identifier">Identifier of the Stripe meter event.</param>
/// <param name="Value">May be negative.</param>
/// <param name="Minute">The minute it is stamped with.</param>
/// <param name="State">pending, sent, accepted, ambiguous or rejected.</param>
/// <param name="Attempts">How often it was sent.</param>
/// <param name="LastError">What Stripe or the network said last.</param>
public sealed record IntentAnswer(
    string Identifier, ExactNumber Value, string? Minute, string State, int Attempts, string? LastError);

/// <summary>What Stripe was told, and what is on its way.</summary>
internal static class DeltaEndpoints
{
    private static readonly IntegerParameter Limit = CommonParameters.Limit(1_000, 100);

    public static void MapDeltas(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/v1/deltas", ListAsync).Describe(
            "Deltas", "ListDeltas", "What Stripe was told of a tenant's usage, and what is on its way",
            CommonParameters.Tenant, CommonParameters.Metric, CommonParameters.Customer, Limit, CommonParameters.Cursor)
            .Allows(AccessKind.Read, Scopes.ReconciliationRead);

    private static async Task<DeltaPage> ListAsync(HttpContext context, PushService.PushServiceClient pushes)
    {
        var query = new QueryReader(context);
        var request = new ListDeltasRequest
        {
            TenantId = query.Text(CommonParameters.Tenant),
            Metric = query.Text(CommonParameters.Metric),
            CustomerRef = query.Text(CommonParameters.Customer),
            PageSize = query.Read(Limit),
            PageToken = query.Text(CommonParameters.Cursor),
        };
        query.Check();

        var page = await pushes.ListDeltasAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new DeltaPage([.. page.Deltas.Select(ToAnswer)], page.NextPageToken.OrNull());
    }

    internal static DeltaAnswer ToAnswer(Delta delta) => new(
        delta.StripeAccount,
        delta.Livemode,
        delta.MeterId,
        delta.StripeCustomer,
        RestTime.Write(delta.PeriodStart),
        RestTime.Write(delta.PeriodEnd),
        RestTime.Write(delta.Deadline),
        new ExactNumber(delta.Target),
        new ExactNumber(delta.Accepted),
        new ExactNumber(delta.Outstanding),
        ExactNumber.OfText(delta.Confirmed),
        ExactNumber.OfText(delta.CarriedIn),
        ExactNumber.OfText(delta.CarriedOut),
        ExactNumber.OfText(delta.Unbilled),
        delta.Problem.OrNull(),
        delta.Parked,
        delta.OpenIntent is { } intent ? ToAnswer(intent) : null);

    internal static IntentAnswer ToAnswer(PushIntent intent) => new(
        intent.Identifier, new ExactNumber(intent.Value), RestTime.Write(intent.Minute),
        intent.State.ToString().ToLowerInvariant(), intent.Attempts, intent.LastError.OrNull());
}
