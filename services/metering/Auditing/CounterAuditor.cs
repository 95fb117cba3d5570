using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Auditing;

/// <summary>What a check of a counter says.</summary>
public enum AuditOutcome
{
    /// <summary>The row is what the ledger says, bit for bit.</summary>
    Matches = 1,

    /// <summary>The counter is just being counted anew, or has changed meanwhile: there is nothing to compare.</summary>
    Undecided = 2,

    /// <summary>The row is not what the ledger says.</summary>
    Differs = 3,
}

/// <summary>A checked counter.</summary>
/// <param name="Outcome">What the check says.</param>
/// <param name="Row">As projected.</param>
/// <param name="Recounted">As the ledger has it up to the position the row has come to.</param>
public sealed record AuditResult(AuditOutcome Outcome, CounterRow Row, Counter Recounted);

/// <summary>
/// Recounts counters of one tenant beside their actors, from the ledger alone, up to the position each row has come to:
/// at that place row and ledger must say the same, however far folding has gone on.
/// </summary>
public sealed class CounterAuditor(ITenantStore tenant, int pageRecords)
{
    public async Task<AuditResult> CheckAsync(CounterRow row, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(row);
        var counter = row.Counter;
        var series = new EventSeries(counter.Key.Customer, counter.Key.Metric);
        var start = new BillingPeriod(counter.Key.PeriodStart, new Instant(counter.Key.PeriodStart.Ticks + 1));
        var recount = await new Recounter(row.Shard, tenant.Ledger, pageRecords)
            .CountAsync(row.LogId, series, start, counter.Version.Position, cancellation).ConfigureAwait(false);
        var counted = recount.Counters.GetValueOrDefault(counter.Key.PeriodStart)
            ?? counter with { Aggregates = Aggregates.Empty, Version = new CounterVersion(0, counter.Version.Position) };
        if (IsSame(counter, counted))
            return new AuditResult(AuditOutcome.Matches, row, counted);
        var differs = counted.Version == counter.Version || await IsSettledAsync(row, cancellation).ConfigureAwait(false);
        return new AuditResult(differs ? AuditOutcome.Differs : AuditOutcome.Undecided, row, counted);
    }

    /// <summary>An emptied counter may keep the end its period once had.</summary>
    private static bool IsSame(Counter projected, Counter recounted) =>
        projected.Aggregates == recounted.Aggregates && (projected.Period == recounted.Period || projected.Aggregates.IsEmpty);

    /// <summary>Whether nothing is under way that could still change the row: then it should have been right.</summary>
    private async Task<bool> IsSettledAsync(CounterRow row, CancellationToken cancellation)
    {
        var head = await tenant.Ledger.HeadAsync(row.Shard, cancellation).ConfigureAwait(false);
        var pending = await tenant.Projection.RecountsAsync(row.Shard, 1, cancellation).ConfigureAwait(false);
        var now = await tenant.Projection.LoadAsync([row.Counter.Key], cancellation).ConfigureAwait(false);
        return head.LogId == row.LogId && pending.Count == 0
            && now.GetValueOrDefault(row.Counter.Key)?.Counter.Version == row.Counter.Version;
    }
}
