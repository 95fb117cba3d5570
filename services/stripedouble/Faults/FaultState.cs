using System.Text.Json.Serialization;

namespace StripeMeter.StripeDouble.Faults;

/// <summary>How many of the next meter events each fault is for; also the form in which <c>/_double/faults</c> shows them.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record FaultState
{
    public int RateLimit { get; init; }

    public string? RateLimitReason { get; init; }

    public int Conflict { get; init; }

    public int FailBeforeCommit { get; init; }

    public int FailAfterCommit { get; init; }

    public int LoseReplies { get; init; }

    public int RejectLater { get; init; }

    public string RejectCode { get; init; } = "meter_event_customer_not_found";

    /// <summary>Webhook deliveries that come a second time.</summary>
    public int RepeatWebhooks { get; init; }

    /// <summary>How long an accepted event stays out of the summaries, in milliseconds.</summary>
    public long SummaryLagMs { get; init; }

    /// <exception cref="ArgumentOutOfRangeException">A number is negative.</exception>
    internal FaultState Checked()
    {
        ArgumentOutOfRangeException.ThrowIfNegative(RateLimit);
        ArgumentOutOfRangeException.ThrowIfNegative(Conflict);
        ArgumentOutOfRangeException.ThrowIfNegative(FailBeforeCommit);
        ArgumentOutOfRangeException.ThrowIfNegative(FailAfterCommit);
        ArgumentOutOfRangeException.ThrowIfNegative(LoseReplies);
        ArgumentOutOfRangeException.ThrowIfNegative(RejectLater);
        ArgumentOutOfRangeException.ThrowIfNegative(RepeatWebhooks);
        ArgumentOutOfRangeException.ThrowIfNegative(SummaryLagMs);
        ArgumentException.ThrowIfNullOrEmpty(RejectCode);
        return this;
    }
}
