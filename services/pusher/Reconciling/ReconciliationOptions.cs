using System.ComponentModel.DataAnnotations;
using System.Globalization;
using StripeMeter.Defaults.Configuration;
using StripeMeter.Metering.Reconciling;

namespace StripeMeter.Pusher.Reconciling;

/// <summary>How often Stripe is compared with the ledger, and within which bounds.</summary>
public sealed class ReconciliationOptions
{
    /// <summary>Milliseconds from one comparison of a tenant to the next. Only what moved is read.</summary>
    [Setting("RECONCILIATION_INTERVAL_MS"), Range(1_000, 86_400_000)]
    public int IntervalMs { get; set; } = 3_600_000;

    /// <summary>Part of what Stripe has by which it may differ while a period runs. Behind its end nothing may.</summary>
    [Setting("RECONCILIATION_EPSILON"), RegularExpression(@"^0(\.[0-9]{1,6})?$", ErrorMessage = "must be a decimal from 0 to less than 1 with at most 6 places")]
    public string Epsilon { get; set; } = "0.005";

    /// <summary>
    /// Summaries read a day of one account. Stripe allows 10,000 reads a month, and for an account with many transactions
    /// 500 for each.
    /// </summary>
    [Setting("RECONCILIATION_READS_PER_DAY"), Range(1, 100_000_000)]
    public int ReadsPerDay { get; set; } = 300;

    /// <summary>Days after which a period that agreed and has not moved is read once more.</summary>
    [Setting("RECONCILIATION_SWEEP_DAYS"), Range(1, 365)]
    public int SweepDays { get; set; } = 7;

    /// <summary>Tenants looked at in one step.</summary>
    public int TenantPage { get; } = 500;

    /// <summary>From one look for runs that others asked for to the next.</summary>
    public TimeSpan LookInterval { get; } = TimeSpan.FromSeconds(10);

    /// <summary>Reports summed up in one answer.</summary>
    public int SummedReports { get; } = 1_000_000;

    /// <summary>Series of drift shown as metrics; the worst ones.</summary>
    public int ShownDrifts { get; } = 200;

    public TimeSpan Interval => TimeSpan.FromMilliseconds(IntervalMs);

    public ReconciliationRules ToRules() => new()
    {
        Epsilon = decimal.Parse(Epsilon, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture),
        SweepInterval = TimeSpan.FromDays(SweepDays),
    };
}
