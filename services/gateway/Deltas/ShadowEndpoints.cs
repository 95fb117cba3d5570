using StripeMeter.Defaults.Access;
using StripeMeter.Gateway.Access;
using StripeMeter.Gateway.OpenApi;
using StripeMeter.Gateway.Requests;
using StripeMeter.Metering.Identity;
using StripeMeter.V1;

namespace StripeMeter.Gateway.Deltas;

/// <summary>What shadow mappings of a tenant told their test accounts, beside what was billed.</summary>
/// <param name="Comparisons">In the order of meter, Stripe customer and period.</param>
/// <param name="NextCursor">Where the next page begins. Absent on the last.</param>
public sealed record ShadowPage(IReadOnlyList<ShadowAnswer> Comparisons, string? NextCursor);

/// <summary>A Stripe customer's period, billed and in the shadow.</summary>
/// <param name="Metric">The metric.</param>
/// <param name="PeriodStart">Start of the billing period, inclusive.</param>
/// <param name="StripeCustomer">The customer that is billed.</param>
/// <param name="ShadowStripeCustomer">Its counterpart in the test account.</param>
/// <param name="Target">What the ledger says is to be billed.</param>
/// <param name="Accepted">What the billed account accepted.</param>
/// <param name="ShadowTarget">What the ledger says the test account is to be told.</param>
/// <param name="ShadowAccepted">What the test account accepted.</param>
/// <param name="Difference">shadowAccepted less accepted.</param>
public sealed record ShadowAnswer(
    string Metric, string? PeriodStart, string StripeCustomer, string ShadowStripeCustomer, ExactNumber Target, ExactNumber Accepted,
    ExactNumber ShadowTarget, ExactNumber ShadowAccepted, ExactNumber Difference);

/// <summary>Shadow totals beside billed ones.</summary>
internal static class ShadowEndpoints
{
    private static readonly IntegerParameter Limit = CommonParameters.Limit(1_000, 100);

    public static void MapShadow(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/v1/shadow", CompareAsync).Describe(
            "Deltas", "CompareShadow", "What shadow mappings told their test account, beside what was billed for the same usage",
            CommonParameters.Tenant, CommonParameters.Metric, Limit, CommonParameters.Cursor)
            .Allows(AccessKind.Read, Scopes.ReconciliationRead);

    private static async Task<ShadowPage> CompareAsync(HttpContext context, PushService.PushServiceClient pushes)
    {
        var query = new QueryReader(context);
        var request = new CompareShadowRequest
        {
            TenantId = query.Text(CommonParameters.Tenant),
            Metric = query.Text(CommonParameters.Metric),
            PageSize = query.Read(Limit),
            PageToken = query.Text(CommonParameters.Cursor),
        };
        query.Check();

        var page = await pushes.CompareShadowAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new ShadowPage([.. page.Comparisons.Select(ToAnswer)], page.NextPageToken.OrNull());
    }

    private static ShadowAnswer ToAnswer(ShadowComparison line) => new(
        line.Metric, RestTime.Write(line.PeriodStart), line.StripeCustomer, line.ShadowStripeCustomer, new ExactNumber(line.Target),
        new ExactNumber(line.Accepted), new ExactNumber(line.ShadowTarget), new ExactNumber(line.ShadowAccepted),
        new ExactNumber(line.Difference));
}
