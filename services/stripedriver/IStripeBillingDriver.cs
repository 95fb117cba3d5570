namespace StripeMeter.StripeDriver;

/// <summary>Tells Stripe usage that is counted elsewhere: durable before it is sent, sent until it is settled, never told twice.</summary>
public interface IStripeBillingDriver
{
    /// <summary>Sets the total of a period. Stripe is told soon after.</summary>
    /// <param name="target">Where it goes, and of which period it is.</param>
    /// <param name="quantity">The total so far; at most 15 integer digits and 12 decimals.</param>
    /// <param name="idempotencyKey">Names the call within the tenant, for ever. 1 to 255 characters.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="Grpc.Core.RpcException">
    /// FAILED_PRECONDITION: a mapping feeds the meter, the period's invoice is final, or there is no key of the mode.
    /// ALREADY_EXISTS: the key was used for another call. INVALID_ARGUMENT names the field. UNAVAILABLE: try again.
    /// </exception>
    Task<RecordedUsage> RecordUsageAsync(UsageTarget target, decimal quantity, string idempotencyKey, CancellationToken cancellation = default);

    /// <summary>What Stripe has of a period, beside what it was told.</summary>
    /// <exception cref="Grpc.Core.RpcException">As above.</exception>
    Task<UsageSummary> GetUsageSummaryAsync(UsageTarget target, CancellationToken cancellation = default);

    /// <summary>The same of a subscription item in the calendar month that holds an instant.</summary>
    /// <exception cref="Grpc.Core.RpcException">As above.</exception>
    Task<UsageSummary> GetUsageSummaryAsync(
        string subscriptionItemId, DateTimeOffset periodStart, string account = UsageTarget.OwnAccount, CancellationToken cancellation = default);
}
