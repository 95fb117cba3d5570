using StripeMeter.Metering.Adjustments;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Reconciling;

/// <summary>
/// Compares the periods of one tenant with Stripe: those that moved, those that stood badly, and now and then the others.
/// </summary>
/// <param name="tenant">The tenant.</param>
/// <param name="summaries">What Stripe's meters hold.</param>
/// <param name="protocol">The rules of pushing.</param>
/// <param name="rules">When a difference is one.</param>
/// <param name="clock">The time.</param>
public sealed class Reconciler(
    ITenantStore tenant, IMeterSummaries summaries, PushProtocol protocol, ReconciliationRules rules, TimeProvider clock)
{
    private readonly PeriodAudit _audit = new(tenant.Deltas, summaries, protocol, clock);
    private readonly ReconciliationBook _book = new(tenant.Documents, rules);
    private readonly AdjustmentBook _adjustments = new(tenant.Ledger, tenant.Documents, clock);

    private Instant Now => Instant.Of(clock.GetUtcNow());

    /// <summary>Compares what is to be compared.</summary>
    /// <param name="isFull">Compares every period.</param>
    /// <param name="isReachable">Whether an account can be read at all; those of another key are left out.</param>
    /// <param name="progress">Told what was found so far, after every period.</param>
    /// <param name="cancellation">Ends the run; what was found stands.</param>
    /// <exception cref="Ledger.StoreUnavailableException">The store cannot be read or written now.</exception>
    public async Task<RunTally> RunAsync(
        bool isFull, Func<DeltaKey, ValueTask<bool>> isReachable, Func<RunTally, ReconciliationReport?, Task> progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(isReachable);
        ArgumentNullException.ThrowIfNull(progress);
        var tally = new RunTally();
        var meters = await MappedMeters.ReadAsync(tenant.Mappings, rules.PageDocuments, cancellation).ConfigureAwait(false);
        var waiting = new WaitingPeriods(rules.PeriodsOfRun);
        await foreach (var (document, delta) in PeriodsAsync(isReachable, cancellation).ConfigureAwait(false))
        {
            var present = (await _book.FindAsync(ReportId.Of(document.Key, delta.Period.Start), cancellation).ConfigureAwait(false))?.Report;
            if (isFull || present is null || IsToBeRead(document, delta, present))
            {
                waiting.Add(document.Key, delta.Period.Start, present?.Checked);
                continue;
            }

            tally = tally.With(present, isRead: false);
            await progress(tally, present).ConfigureAwait(false);
        }

        tally = tally with { Unreadable = waiting.LeftOut };
        foreach (var (key, periodStart) in waiting.OldestFirst())
        {
            var (report, isAnswered) = await CompareAsync(key, periodStart, meters, cancellation).ConfigureAwait(false);
            tally = report is null ? tally.WithUnreadable(isAnswered) : tally.With(report, isRead: true);
            await progress(tally, report).ConfigureAwait(false);
        }

        return tally;
    }

    private async IAsyncEnumerable<(DeltaDocument Document, PeriodDelta Delta)> PeriodsAsync(
        Func<DeltaKey, ValueTask<bool>> isReachable, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        DeltaKey? from = null;
        while (true)
        {
            var query = new DeltaQuery { From = from, Limit = rules.PageDocuments + 1 };
            var page = await tenant.Deltas.ListAsync(query, cancellation).ConfigureAwait(false);
            foreach (var document in page.Take(rules.PageDocuments))
            {
                if (!await isReachable(document.Key).ConfigureAwait(false))
                    continue;
                foreach (var delta in document.Periods)
                    yield return (document, delta);
            }

            if (page.Count <= rules.PageDocuments)
                yield break;
            from = page[^1].Key;
        }
    }

    /// <summary>The report as it stands now, null if it cannot be known; and whether Stripe answered.</summary>
    private async Task<(ReconciliationReport? Report, bool IsAnswered)> CompareAsync(
        DeltaKey key, Instant periodStart, MappedMeters meters, CancellationToken cancellation)
    {
        var kept = await _book.FindAsync(ReportId.Of(key, periodStart), cancellation).ConfigureAwait(false);
        var known = -await TakenBackAsync(kept?.Report, cancellation).ConfigureAwait(false);
        var isThorough = kept?.Report.LaggingSince is { } since && Now - since > rules.LagPatience;
        var finding = await _audit.AuditAsync(key, periodStart, new AuditScope(known, isThorough), cancellation).ConfigureAwait(false);
        if (finding is null or { Agreement: Agreement.Unknown } || finding.AtStripe is null)
            return (null, finding is not { AtStripe: null });
        var document = await tenant.Deltas.LoadAsync(key, cancellation).ConfigureAwait(false);
        if (document?.Find(periodStart) is not { } delta)
            return (null, true);
        var report = ReportOf(document, delta, finding, known, kept?.Report, meters);
        return (await _book.SaveAsync(report, kept, cancellation).ConfigureAwait(false) ? report : null, true);
    }

    /// <summary>Whether it moved, stood badly, came to its end, or was not read for long.</summary>
    private bool IsToBeRead(DeltaDocument document, PeriodDelta delta, ReconciliationReport report)
    {
        var hasMoved = report.Minted != document.Minted || report.Expected - report.TakenBack != delta.Expected || report.Accepted != delta.Accepted;
        var hasEnded = report.Checked < delta.Period.End && Now >= delta.Period.End;
        var isBad = report.Status == ReconciliationStatus.Investigate || report.Reason != DriftReason.None || report.InFlight != Quantity.Zero;
        var isOld = Now - report.Checked >= rules.SweepInterval && Now < delta.Period.End + rules.SettledAfter;
        return hasMoved || hasEnded || isBad || isOld;
    }

    private ReconciliationReport ReportOf(
        DeltaDocument document, PeriodDelta delta, PeriodFinding finding, Quantity known, ReconciliationReport? before, MappedMeters meters)
    {
        var (now, atStripe) = (Now, finding.AtStripe!.Value);
        var drift = finding.Agreement == Agreement.Differs ? atStripe - known - finding.Accepted : Quantity.Zero;
        var unbilled = protocol.Ends.UnbilledOf(delta, now);
        var isOver = now >= delta.Period.End;
        var isClean = isOver
            ? drift == Quantity.Zero && unbilled == Quantity.Zero
            : Drift.FractionOf(drift, atStripe) <= rules.Epsilon;
        var wasBad = before?.Status is ReconciliationStatus.Investigate or ReconciliationStatus.Resolved;
        // What lags proves nothing: whoever stood badly does until it is known.
        var staysBad = finding.Agreement == Agreement.MayLag && before?.Status == ReconciliationStatus.Investigate;
        var report = new ReconciliationReport
        {
            Key = document.Key,
            Period = delta.Period,
            IsShadow = meters.IsShadow(document.Key.MeterId, document.IsShadow || before?.IsShadow == true),
            Metrics = [.. delta.Contributions.Select(contribution => contribution.Metric).Distinct().Take(rules.NamedFeeders)],
            Customers = [.. delta.Contributions.Select(contribution => contribution.Customer).Distinct().Take(rules.NamedFeeders)],
            Ledger = delta.Target,
            CarriedIn = delta.CarriedIn,
            CarriedOut = delta.CarriedOut,
            Accepted = delta.Accepted,
            AtStripe = atStripe,
            Drift = drift,
            TakenBack = known,
            Unbilled = unbilled,
            Status = !isClean || staysBad ? ReconciliationStatus.Investigate : wasBad ? ReconciliationStatus.Resolved : ReconciliationStatus.Ok,
            Reason = ReasonOf(document, finding, drift, unbilled),
            Foreign = finding.Foreign,
            Applied = before?.Applied ?? [],
            Checked = now,
            LaggingSince = finding.Agreement == Agreement.MayLag ? before?.LaggingSince ?? now : null,
            Minted = document.Minted,
            Changes = before?.Changes ?? 0,
        };
        return report with { Suggestion = SuggestionFor(report, delta, before, meters) };
    }

    private static DriftReason ReasonOf(DeltaDocument document, PeriodFinding finding, Quantity drift, Quantity unbilled)
    {
        if (finding.Agreement == Agreement.MayLag)
            return DriftReason.SummariesLag;
        if (drift == Quantity.Zero)
            return unbilled == Quantity.Zero ? DriftReason.None : DriftReason.Unbilled;
        if (document.Meter.Sink != SinkKind.Deltas)
            return DriftReason.ToldAgain;
        if (document.Checking.Any(intent => document.PeriodOf(intent).Period.Start == finding.Period.Start))
            return DriftReason.LookedFor;
        return finding.Foreign.Count > 0 ? DriftReason.ForeignWriter : DriftReason.Unexplained;
    }

    /// <summary>
    /// Takes back what another writer told: the counter is lowered by it, and so is what Stripe is told. Only of a sum, and
    /// only while the period can be billed.
    /// </summary>
    private AdjustmentSuggestion? SuggestionFor(
        ReconciliationReport report, PeriodDelta delta, ReconciliationReport? before, MappedMeters meters)
    {
        if (report.Reason != DriftReason.ForeignWriter || protocol.Ends.IsClosed(delta, Now))
            return null;
        var largest = delta.Contributions.Where(contribution => !contribution.HasLeft && meters.BillsSum(contribution.Metric, report.Key.MeterId))
            .OrderByDescending(contribution => contribution.Share).FirstOrDefault();
        if (largest is null)
            return null;
        if (before?.Suggestion is { } same && same.Delta == -report.Drift)
            return same;
        var number = report.Applied.Count + report.Changes + 1;
        return new AdjustmentSuggestion(ReportId.OfSuggestion(report.Id, number), largest.Metric, largest.Customer, -report.Drift);
    }

    /// <summary>What approved adjustments have taken back; what was reverted since does not count.</summary>
    private async Task<Quantity> TakenBackAsync(ReconciliationReport? report, CancellationToken cancellation)
    {
        var taken = Quantity.Zero;
        foreach (var applied in report?.Applied ?? [])
        {
            var state = await _adjustments.FindAsync(applied.AdjustmentId, cancellation).ConfigureAwait(false);
            if (state?.Status == AdjustmentStatus.Approved)
                taken += applied.Delta;
        }

        return taken;
    }
}
