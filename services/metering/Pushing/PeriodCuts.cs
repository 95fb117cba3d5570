using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Pushing;

/// <summary>
/// What becomes of a document once periods are cut otherwise than when something was told in them, as a changed anchor cuts
/// them. Stripe bills by timestamps: what it was told stays where its timestamp lies, and counts in the period that this is in
/// now. So nothing is taken back from one period that Stripe has in another.
/// </summary>
internal static class PeriodCuts
{
    /// <summary>
    /// Enters a period as its counters say that it is cut. One in which nothing is counted ends where the next begins in which
    /// something is: what it has is of references that have left, or was carried.
    /// </summary>
    public static DeltaDocument With(DeltaDocument document, PeriodDelta counted)
    {
        var entered = document.With(counted);
        return entered with { Periods = [.. entered.Periods.Select(delta => Ended(delta, entered.Periods))] };
    }

    private static PeriodDelta Ended(PeriodDelta delta, IReadOnlyList<PeriodDelta> periods)
    {
        var next = delta.IsCounted ? null : periods.FirstOrDefault(other => other.IsCounted && other.Period.Start > delta.Period.Start);
        return next is null || next.Period.Start >= delta.Period.End ? delta : delta with { Period = delta.Period with { End = next.Period.Start } };
    }

    /// <summary>Notes from where on what was told is to be sorted anew, if periods are others than before.</summary>
    public static DeltaDocument Noted(DeltaDocument before, DeltaDocument after)
    {
        var (former, present) = (before.Present, after.Present);
        Instant? from = null;
        foreach (var delta in after.Periods.Where(delta => IsMoved(delta)))
        {
            var around = before.Periods.Concat(after.Periods).Where(other => other.Period.Overlaps(delta.Period)).Append(delta);
            var start = around.Min(other => other.Period.Start);
            from = from is { } earlier ? Instant.Min(earlier, start) : start;
        }

        return from is { } noted ? after with { CutFrom = Instant.Min(noted, before.CutFrom ?? noted) } : after;

        bool IsMoved(PeriodDelta delta) => before.Find(delta.Period.Start) is { } known
            ? known.Period != delta.Period || former.Contains(known) != present.Contains(delta)
                || (known != delta && !present.Contains(delta) && delta.Expected != Quantity.Zero)
            : after.Periods.Any(other => other != delta && other.Period.Overlaps(delta.Period));
    }

    /// <summary>Behind which entry of the history everything was told that is to be sorted.</summary>
    public static long FirstClosingOf(DeltaDocument document, Instant from) => ScopeOf(document, from).Min(delta => delta.FirstClosing);

    /// <summary>The document with everything told where it belongs, and nothing expected in periods that are none.</summary>
    /// <param name="document">A document none of whose intents is closed and not in the history yet.</param>
    /// <param name="from">From where on.</param>
    /// <param name="told">What the history says last of each intent.</param>
    /// <param name="following">The period that an instant falls in, where one ended at another instant before it.</param>
    public static DeltaDocument Sorted(
        DeltaDocument document, Instant from, IReadOnlyCollection<PushIntent> told, Func<Instant, Instant, BillingPeriod> following)
    {
        var taken = told.Where(intent => intent.State is IntentState.Accepted or IntentState.Confirmed).ToList();
        var slots = ScopeOf(document, from).SelectMany(delta => delta.Slots.Select(slot => (delta.Period.Start, Slot: slot))).ToList();
        // The one under way is entered once it is settled.
        IEnumerable<PushIntent> toBePlaced = document.Open is { } open ? [.. taken, open] : taken;
        var sorted = toBePlaced.Aggregate(document with { CutFrom = null }, (whole, intent) => WithPlaceFor(whole, intent, following));
        foreach (var delta in ScopeOf(sorted, from))
            sorted = sorted.With(ToldIn(sorted, delta, taken, slots));
        return sorted.Periods.Except(sorted.Present).Aggregate(sorted, WithNothingExpected);
    }

    /// <summary>
    /// A period with what Stripe took for it: differences, and totals that overwrite. Of running totals that is the newest, which
    /// the history alone knows of; of others, and of what was corrected since, the document knows better.
    /// </summary>
    private static PeriodDelta ToldIn(
        DeltaDocument document, PeriodDelta delta, List<PushIntent> taken, List<(Instant Start, ToldSlot Slot)> slots)
    {
        var theirs = taken.Where(intent => IsIn(intent.Period.Start, intent.Minute)).ToList();
        var accepted = Sum(theirs.Where(intent => intent.Total is null).Select(intent => intent.Value));
        var known = slots.Where(told => IsIn(told.Start, told.Slot.Stamp)).Select(told => told.Slot).ToList();
        if (document.Meter.Sink == SinkKind.RunningTotal)
        {
            var newest = theirs.Where(intent => intent.Total is not null)
                .Select(intent => new ToldSlot(delta.Period.Start, intent.Total!.Value, intent.Number, intent.Minute))
                .ExceptBy(known.Select(slot => slot.Number), slot => slot.Number).Concat(known)
                .OrderBy(slot => slot.Stamp).ThenBy(slot => slot.Number).Select(slot => slot with { Start = delta.Period.Start }).TakeLast(1);
            known = [.. newest];
        }

        // Where two periods that were cut across each other told the same hour, the later told it last.
        var held = known.GroupBy(slot => slot.Start).Select(same => same.MaxBy(slot => slot.Number)).OrderByDescending(slot => slot.Told).ToList();
        accepted += Sum(held.Select(slot => slot.Told));
        return delta with
        {
            FirstClosing = theirs.Min(intent => document.Find(intent.Period.Start)?.FirstClosing) is { } first
                ? Math.Min(first, delta.FirstClosing)
                : delta.FirstClosing,
            Accepted = accepted, Confirmed = accepted == delta.Accepted ? delta.Confirmed : Quantity.Zero, Slots = held,
        };

        bool IsIn(Instant start, Instant minute) => (document.PeriodOf(start, minute)?.Period.Start ?? start) == delta.Period.Start;
    }

    /// <summary>
    /// What was told behind all periods known is in the one that follows the last before it. No counter of that one was
    /// raised yet, or there is nothing to be counted in it; once one is, it says how the period is cut.
    /// </summary>
    private static DeltaDocument WithPlaceFor(DeltaDocument document, PushIntent told, Func<Instant, Instant, BillingPeriod> following)
    {
        var minute = told.Minute;
        if (document.PeriodOf(told.Period.Start, minute) is not null)
            return document;
        var before = document.Present.LastOrDefault(delta => delta.Period.End <= minute);
        if (before is null)
            return document;
        var period = following(before.Period.End, minute);
        var next = document.Present.FirstOrDefault(delta => delta.Period.Start > minute);
        return document.With(document.FindOrBegin(period) with
        {
            Period = next is null ? period : period with { End = Instant.Min(period.End, next.Period.Start) },
        });
    }

    /// <summary>What is left in a period that is none is of references that have left, or was carried: it goes with its beginning.</summary>
    private static DeltaDocument WithNothingExpected(DeltaDocument document, PeriodDelta none)
    {
        if (document.PeriodOf(none.Period.Start, none.Period.Start) is not { } instead)
            return document;
        return document
            .With(none with { CarriedOut = none.CarriedOut + none.Expected })
            .With(instead with { CarriedIn = instead.CarriedIn + none.Expected });
    }

    private static IEnumerable<PeriodDelta> ScopeOf(DeltaDocument document, Instant from) =>
        document.Periods.Where(delta => delta.Period.End > from);

    private static Quantity Sum(IEnumerable<Quantity> quantities) => quantities.Aggregate(Quantity.Zero, (sum, quantity) => sum + quantity);
}
