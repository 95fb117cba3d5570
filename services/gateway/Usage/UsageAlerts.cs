using StripeMeter.Defaults.Access;
using StripeMeter.Metering.Quantities;
using StripeMeter.V1;

namespace StripeMeter.Gateway.Usage;

/// <summary>
/// What the system knows about a customer's usage that should not go unseen: usage near or beyond its limit, late events that
/// wait for approval, and, for whoever has a key, usage that Stripe cannot be told.
/// </summary>
public sealed class UsageAlerts(AdjustmentService.AdjustmentServiceClient adjustments, PushService.PushServiceClient pushes)
{
    private const string Warn = "warn";
    private const string Critical = "critical";
    private const int Counted = 100;
    private const int LatePage = 1_000;
    private const int LatePages = 10;

    /// <summary>Alerts about limits: from three quarters of one on.</summary>
    public static IEnumerable<UsageAlert> OfLimits(IEnumerable<MetricUsage> metrics)
    {
        foreach (var metric in metrics)
        {
            if (metric is not { Limit: { } allowed, Current: { } current })
                continue;
            var (limit, used) = (Quantity.Parse(allowed.Text), Quantity.Parse(current.Text));
            var message = $"{used} of {limit} {metric.Unit} are used ({metric.Name}).";
            if (used >= limit)
                yield return new UsageAlert("limit_reached", message, Critical);
            else if (used + used + used + used >= limit + limit + limit)
                yield return new UsageAlert("limit_near", message, Warn);
        }
    }

    /// <summary>Alerts about what the usage of a billing period leaves out.</summary>
    public async Task<IReadOnlyList<UsageAlert>> OfCustomerAsync(string tenant, string customer, GetCurrentUsageResponse usage, CancellationToken cancellation)
    {
        var late = LateAsync(tenant, customer, usage, cancellation);
        var parked = Call.Current?.Principal.Customer.Length > 0 ? [] : await ParkedAsync(tenant, customer, cancellation).ConfigureAwait(false);
        return [.. await late.ConfigureAwait(false), .. parked];
    }

    private async Task<IReadOnlyList<UsageAlert>> LateAsync(string tenant, string customer, GetCurrentUsageResponse usage, CancellationToken cancellation)
    {
        var request = new ListAdjustmentsRequest
        {
            TenantId = tenant, CustomerRef = customer, Status = AdjustmentStatus.Pending, LateOnly = true, PageSize = LatePage,
            StartTime = usage.PeriodStart, EndTime = usage.PeriodEnd,
        };
        var late = 0;
        // Those that were settled leave their pages, so that pending ones may stand behind empty pages.
        for (var pages = 0; pages == 0 || (request.PageToken.Length > 0 && late < Counted && pages < LatePages); pages++)
        {
            var page = await adjustments.ListAdjustmentsAsync(request, cancellationToken: cancellation).ConfigureAwait(false);
            late += page.Adjustments.Count(adjustment => adjustment.Reason == AdjustmentReason.LateEvent && adjustment.PeriodTime < usage.PeriodEnd);
            request.PageToken = page.NextPageToken;
        }

        var some = request.PageToken.Length > 0 ? $"{late} or more" : $"{late}";
        return late == 0 ? [] : [new UsageAlert("late_events", $"Late events wait for approval and are not counted yet: {some}.", Warn)];
    }

    private async Task<IReadOnlyList<UsageAlert>> ParkedAsync(string tenant, string customer, CancellationToken cancellation)
    {
        var request = new ListDeltasRequest { TenantId = tenant, CustomerRef = customer, PageSize = Counted };
        var page = await pushes.ListDeltasAsync(request, cancellationToken: cancellation).ConfigureAwait(false);
        return
        [
            .. page.Deltas.Where(delta => delta.Parked).Select(delta => delta.MeterId).Distinct().Select(meter => new UsageAlert(
                "push_parked", $"Stripe cannot be told usage of the meter {meter}; GET /v1/deltas says why.", Critical)),
        ];
    }
}
