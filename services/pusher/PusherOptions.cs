using System.ComponentModel.DataAnnotations;
using StripeMeter.Defaults.Configuration;
using StripeMeter.Metering.Pushing;

namespace StripeMeter.Pusher;

/// <summary>Cadence and bounds of the pusher.</summary>
public sealed class PusherOptions
{
    /// <summary>Milliseconds between two sweeps of the changed counters, and of the documents that are due.</summary>
    [Setting("STRIPE_WRITER_INTERVAL_MS"), Range(10, 3_600_000)]
    public int IntervalMs { get; set; } = 10_000;

    /// <summary>Milliseconds from one sweep to the next at least, however often changes are announced.</summary>
    [Setting("PUSH_WAKE_DELAY_MS"), Range(0, 3_600_000)]
    public int WakeDelayMs { get; set; } = 1_000;

    /// <summary>
    /// Milliseconds in which nothing is told of a customer whose periods were cut otherwise: its counters are counted anew one
    /// by one, and what one period loses the next has gained.
    /// </summary>
    [Setting("PUSH_CUT_WAIT_MS"), Range(0, 3_600_000)]
    public int CutWaitMs { get; set; } = 15_000;

    /// <summary>Id of the account of the key. Empty: asked of Stripe, which a restricted key may not be allowed to.</summary>
    [Setting("STRIPE_ACCOUNT"), RegularExpression("^acct_[A-Za-z0-9_]{1,94}$", ErrorMessage = "must be an account id, acct_…")]
    public string Account { get; set; } = "";

    /// <summary>Calls a second to one Stripe account. Stripe takes 25 per endpoint by default, more in live mode.</summary>
    [Setting("STRIPE_RATE_PER_SECOND"), Range(1, 10_000)]
    public int RatePerSecond { get; set; } = 25;

    /// <summary>Documents driven at a time. Never two calls for one Stripe customer on one meter.</summary>
    [Setting("STRIPE_CONCURRENT_PUSHES"), Range(1, 1_000)]
    public int ConcurrentPushes { get; set; } = 16;

    /// <summary>Milliseconds after which a call to Stripe is given up.</summary>
    [Setting("STRIPE_CALL_TIMEOUT_MS"), Range(100, 300_000)]
    public int CallTimeoutMs { get; set; } = 10_000;

    /// <summary>
    /// Minutes from the end of a period until its invoice is final, where no invoice event says when. Stripe's default is
    /// an hour, and 72 hours can be configured there.
    /// </summary>
    [Setting("STRIPE_GRACE_MINUTES"), Range(10, 4_320)]
    public int GraceMinutes { get; set; } = 60;

    /// <summary>What becomes of usage that comes too late for its period: it goes into the period that runs, or is only shown.</summary>
    [Setting("STRIPE_LATE_USAGE"), RegularExpression("^(next-period|alert-only)$", ErrorMessage = "must be next-period or alert-only")]
    public string LateUsage { get; set; } = "next-period";

    /// <summary>
    /// Minutes from one reading of all subscriptions to the next: what webhooks did not tell is noticed then. 0: they are not
    /// read, and only webhooks tell of them.
    /// </summary>
    [Setting("STRIPE_SUBSCRIPTIONS_INTERVAL_MINUTES"), Range(0, 43_200)]
    public int SubscriptionsIntervalMinutes { get; set; }

    /// <summary>Changed counters read at a time.</summary>
    public int CounterPage { get; } = 500;

    /// <summary>Pages of changed counters of one tenant in one sweep, so that others have their turn.</summary>
    public int CounterPages { get; } = 20;

    /// <summary>Documents raised at a time.</summary>
    public int ConcurrentRaises { get; } = 16;

    /// <summary>Tenants, and due documents of one account, read at a time.</summary>
    public int WorkPage { get; } = 500;

    /// <summary>Documents that wait to be driven.</summary>
    public int QueuedDocuments { get; } = 1_000;

    /// <summary>Active mappings of one tenant.</summary>
    public int MappingsOfTenant { get; } = 10_000;

    /// <summary>Accounts, and meters, remembered at a time.</summary>
    public int RememberedObjects { get; } = 10_000;

    /// <summary>Webhook events remembered, so that none is taken twice. Stripe delivers one again for days.</summary>
    public int RememberedStripeEvents { get; } = 100_000;

    /// <summary>How long something is tried to be done about a webhook event. Stripe itself gives up after three days.</summary>
    public TimeSpan StripeEventPatience { get; } = TimeSpan.FromDays(3);

    /// <summary>Largest webhook event, in bytes.</summary>
    public int StripeEventBytes { get; } = 1_048_576;

    /// <summary>Lines of one invoice, and identifiers of one error report, that are read.</summary>
    public int StripeEventParts { get; } = 10_000;

    /// <summary>How long a meter read from Stripe is taken to be as it was.</summary>
    public TimeSpan MeterMemory { get; } = TimeSpan.FromMinutes(5);

    public TimeSpan Interval => TimeSpan.FromMilliseconds(IntervalMs);

    public TimeSpan SubscriptionsInterval => TimeSpan.FromMinutes(SubscriptionsIntervalMinutes);

    public TimeSpan WakeDelay => TimeSpan.FromMilliseconds(WakeDelayMs);

    /// <summary>After which a call to another service is given up.</summary>
    public TimeSpan ServiceTimeout { get; } = TimeSpan.FromSeconds(10);

    public TimeSpan CallTimeout => TimeSpan.FromMilliseconds(CallTimeoutMs);

    /// <summary>The rules of pushing; an attempt is given up as lost some time after its call is.</summary>
    public PushRules ToRules() => new()
    {
        AttemptLease = CallTimeout + TimeSpan.FromSeconds(5),
        Grace = TimeSpan.FromMinutes(GraceMinutes),
        CutPatience = TimeSpan.FromMilliseconds(CutWaitMs),
        Carry = LateUsage == "alert-only" ? CarryPolicy.AlertOnly : CarryPolicy.NextPeriod,
    };
}
