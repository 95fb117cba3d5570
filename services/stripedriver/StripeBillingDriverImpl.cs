using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using StripeMeter.V1;

namespace StripeMeter.StripeDriver;

/// <summary>The billing driver over the pusher's gRPC.</summary>
/// <param name="calls">To the pusher: of a channel, or through a sidecar.</param>
/// <param name="tenantId">The tenant.</param>
[SuppressMessage("Naming", "CA1711", Justification = "The name under which the driver is known.")]
public sealed class StripeBillingDriverImpl(CallInvoker calls, string tenantId) : IStripeBillingDriver
{
    private readonly BillingDriverService.BillingDriverServiceClient _driver = new(calls);

    public async Task<RecordedUsage> RecordUsageAsync(
        UsageTarget target, decimal quantity, string idempotencyKey, CancellationToken cancellation = default)
    {
        var request = new RecordUsageRequest
        {
            TenantId = tenantId, Target = ToWire(target), Quantity = quantity.ToString(CultureInfo.InvariantCulture), IdempotencyKey = idempotencyKey,
        };
        var recorded = await _driver.RecordUsageAsync(request, cancellationToken: cancellation).ConfigureAwait(false);
        return new RecordedUsage(Exact(recorded.Target), Exact(recorded.Accepted), recorded.Already);
    }

    public async Task<UsageSummary> GetUsageSummaryAsync(UsageTarget target, CancellationToken cancellation = default)
    {
        var request = new GetUsageSummaryRequest { TenantId = tenantId, Target = ToWire(target) };
        var summary = await _driver.GetUsageSummaryAsync(request, cancellationToken: cancellation).ConfigureAwait(false);
        return new UsageSummary(
            Exact(summary.Quantity), Exact(summary.Target), Exact(summary.Accepted), summary.PeriodStart.ToDateTimeOffset(),
            summary.PeriodEnd.ToDateTimeOffset());
    }

    public Task<UsageSummary> GetUsageSummaryAsync(
        string subscriptionItemId, DateTimeOffset periodStart, string account = UsageTarget.OwnAccount, CancellationToken cancellation = default) =>
        GetUsageSummaryAsync(UsageTarget.OfItem(BillingMode.Live, subscriptionItemId, periodStart) with { StripeAccount = account }, cancellation);

    private static DriverTarget ToWire(UsageTarget target)
    {
        ArgumentNullException.ThrowIfNull(target);
        return new DriverTarget
        {
            Mode = target.Mode == BillingMode.Test ? DriverMode.Test : DriverMode.Live, StripeAccount = target.StripeAccount,
            SubscriptionItemId = target.SubscriptionItemId, MeterId = target.MeterId, StripeCustomer = target.StripeCustomer,
            PeriodStart = Timestamp.FromDateTimeOffset(target.PeriodStart),
            PeriodEnd = target.PeriodEnd is { } end ? Timestamp.FromDateTimeOffset(end) : null,
        };
    }

    private static decimal Exact(string text) => decimal.Parse(text, NumberStyles.Number, CultureInfo.InvariantCulture);
}
