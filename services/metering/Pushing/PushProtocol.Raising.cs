using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Pushing;

/// <summary>What comes to a document from outside: contributions, deadlines, reasons to wait.</summary>
public sealed partial class PushProtocol
{
    /// <summary>
    /// Puts a contribution into its period. An older version than the one there changes nothing. What belongs elsewhere
    /// is decided when a reference comes here, and stays.
    /// </summary>
    /// <param name="document">The document.</param>
    /// <param name="period">The billing period.</param>
    /// <param name="contribution">What the counter adds.</param>
    /// <param name="meter">How the meter wants its events.</param>
    /// <param name="mapped">When the mapping was last changed; a change ends parking.</param>
    /// <param name="now">The present.</param>
    public DeltaDocument Raise(
        DeltaDocument document, BillingPeriod period, Contribution contribution, MeterNames meter, Instant mapped, Instant now)
    {
        ArgumentNullException.ThrowIfNull(document);
        ArgumentNullException.ThrowIfNull(contribution);
        var delta = document.FindOrBegin(period);
        var present = delta.Find(contribution.Metric, contribution.Customer);
        if (present is { HasLeft: false })
            contribution = contribution with { Elsewhere = present.Elsewhere };
        if (present is not null && present.LogId == contribution.LogId && present.Version > contribution.Version)
            (contribution, period) = (present, delta.Period);
        var raised = document;
        if (present != contribution || delta.Period != period || document.Meter != meter)
            raised = PeriodCuts.Noted(document, PeriodCuts.With(document, delta.With(contribution) with { Period = period }) with { Meter = meter });
        if (document.ParkedSince is { } parked && mapped > parked)
            raised = Freed(raised);
        return ReferenceEquals(raised, document) ? document : _schedule.Scheduled(raised, now);
    }

    /// <summary>
    /// Ends the growth of a contribution whose reference belongs to another Stripe customer now. What was raised stays, but of a
    /// parked document only what Stripe has taken: the rest would never be billed here. Always answers a document to be saved:
    /// that is what keeps two takers from taking from each other.
    /// </summary>
    public DeltaDocument Leave(DeltaDocument document, Instant periodStart, string metric, string customer, Instant now)
    {
        ArgumentNullException.ThrowIfNull(document);
        var delta = document.Find(periodStart) ?? throw new ArgumentException("There is no such period.", nameof(periodStart));
        var present = delta.Find(metric, customer) ?? throw new ArgumentException("There is no such contribution.", nameof(metric));
        if (!present.HasLeft && document.ParkedSince is not null)
            present = present with { Elsewhere = present.Elsewhere + RefusedOf(document, delta, present.Share) };
        var left = PeriodCuts.Noted(document, PeriodCuts.With(document, delta.With(present with { HasLeft = true })));
        if (left.Open is null && left.Periods.All(period => period.Outstanding == Quantity.Zero))
            left = Freed(left);
        return _schedule.Scheduled(left, now);
    }

    /// <summary>How much of a share Stripe has not taken, and is not being told.</summary>
    private static Quantity RefusedOf(DeltaDocument document, PeriodDelta delta, Quantity share)
    {
        var underWay = document.Open is { } open && document.PeriodOf(open).Period == delta.Period ? open.Value : Quantity.Zero;
        var refused = delta.Outstanding - underWay;
        return share > Quantity.Zero
            ? Quantity.Max(Quantity.Zero, Quantity.Min(share, refused))
            : Quantity.Min(Quantity.Zero, Quantity.Max(share, refused));
    }

    private static DeltaDocument Freed(DeltaDocument document) =>
        document.ParkedSince is null ? document : document with { ParkedSince = null, Rejections = 0, HeldUntil = null, Problem = "" };

    /// <summary>
    /// Sorts what was told into the periods as they are cut now. The same document: it is sorted already.
    /// </summary>
    /// <param name="document">The document as loaded.</param>
    /// <param name="told">What the history says last of each intent, from where <see cref="PushStep.Sort"/> says on.</param>
    /// <param name="now">The present.</param>
    public DeltaDocument Sort(DeltaDocument document, IReadOnlyCollection<PushIntent> told, Instant now)
    {
        ArgumentNullException.ThrowIfNull(document);
        ArgumentNullException.ThrowIfNull(told);
        if (document.CutFrom is not { } from)
            return document;
        var sorted = PeriodCuts.Sorted(document, from, told, ends.Following);
        return _schedule.Scheduled(sorted with { HeldUntil = Instant.Max(now + rules.CutPatience, document.HeldUntil ?? now) }, now);
    }

    /// <summary>Holds a document back: nothing is minted before <paramref name="until"/>.</summary>
    public DeltaDocument Hold(DeltaDocument document, Instant until, string problem, Instant now)
    {
        ArgumentNullException.ThrowIfNull(document);
        var open = document.Open is { IsClosed: false } intent ? intent with { NextAttempt = until, LastError = problem } : document.Open;
        return _schedule.Scheduled(document with { Open = open, HeldUntil = until, Problem = problem }, now);
    }

    /// <summary>Enters from when Stripe bills for the meter. The same document: it says so already, or something later.</summary>
    public DeltaDocument SetBilledFrom(DeltaDocument document, Instant from, Instant now)
    {
        ArgumentNullException.ThrowIfNull(document);
        return document.BilledFrom < from ? _schedule.Scheduled(document with { BilledFrom = from }, now) : document;
    }

    /// <summary>
    /// Enters what Stripe said of an invoice that bills a period. The same document: it has no such period, or was told
    /// something later of the invoice.
    /// </summary>
    public DeltaDocument EnterInvoice(DeltaDocument document, Instant periodStart, InvoiceEnd invoice, Instant now)
    {
        ArgumentNullException.ThrowIfNull(document);
        if (document.Find(periodStart) is not { } delta)
            return document;
        var entered = delta.With(invoice);
        return ReferenceEquals(entered, delta) ? document : _schedule.Scheduled(document.With(entered), now);
    }
}
