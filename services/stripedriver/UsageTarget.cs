namespace StripeMeter.StripeDriver;

/// <summary>Which account is meant.</summary>
public enum BillingMode
{
    /// <summary>The one that is billed.</summary>
    Live,

    /// <summary>A test account, reached with a test key only.</summary>
    Test,
}

/// <summary>Where usage goes: a subscription item, or a meter and a Stripe customer; and of which billing period it is.</summary>
public sealed record UsageTarget
{
    /// <summary>The account of the configured key of the mode.</summary>
    public const string OwnAccount = "default";

    private UsageTarget()
    {
    }

    public BillingMode Mode { get; private init; }

    /// <summary><c>si_…</c>; empty if a meter and a customer say where.</summary>
    public string SubscriptionItemId { get; private init; } = "";

    /// <summary><c>mtr_…</c></summary>
    public string MeterId { get; private init; } = "";

    /// <summary><c>cus_…</c></summary>
    public string StripeCustomer { get; private init; } = "";

    /// <summary>Inclusive.</summary>
    public DateTimeOffset PeriodStart { get; private init; }

    /// <summary>Exclusive; null for the calendar month, in UTC, that holds the start.</summary>
    public DateTimeOffset? PeriodEnd { get; init; }

    /// <summary><c>acct_…</c></summary>
    public string StripeAccount { get; init; } = OwnAccount;

    /// <summary>A subscription item, which leads to its meter and customer. Items of legacy prices are told usage records.</summary>
    public static UsageTarget OfItem(BillingMode mode, string subscriptionItemId, DateTimeOffset periodStart) =>
        new() { Mode = mode, SubscriptionItemId = subscriptionItemId, PeriodStart = periodStart };

    /// <summary>A meter and a Stripe customer.</summary>
    public static UsageTarget OfMeter(BillingMode mode, string meterId, string stripeCustomer, DateTimeOffset periodStart) =>
        new() { Mode = mode, MeterId = meterId, StripeCustomer = stripeCustomer, PeriodStart = periodStart };
}

/// <summary>What became of a call.</summary>
/// <param name="Target">What Stripe is to have of the period.</param>
/// <param name="Accepted">What it accepted so far.</param>
/// <param name="Already">The call had been made before; this one changed nothing.</param>
public sealed record RecordedUsage(decimal Target, decimal Accepted, bool Already);

/// <summary>What Stripe has of a period.</summary>
/// <param name="Quantity">What its summaries hold. They lag behind what it accepted.</param>
/// <param name="Target">What it is to have.</param>
/// <param name="Accepted">What it accepted so far.</param>
/// <param name="PeriodStart">Inclusive.</param>
/// <param name="PeriodEnd">Exclusive.</param>
public sealed record UsageSummary(decimal Quantity, decimal Target, decimal Accepted, DateTimeOffset PeriodStart, DateTimeOffset PeriodEnd);
