using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Pushing;

/// <summary>
/// Says until when a period is billed, and carries what came too late. Stripe takes usage for a period whose invoice is
/// final, and bills it on no invoice; so nothing is ever sent there.
/// </summary>
/// <param name="rules">Limits, and what to do with what came too late.</param>
/// <param name="following">The period that an instant falls in, where one ended at another instant before it.</param>
public sealed class PeriodEnds(PushRules rules, Func<Instant, Instant, BillingPeriod> following)
{
    /// <summary>The period that an instant falls in, where one ended at another instant before it.</summary>
    public Func<Instant, Instant, BillingPeriod> Following => following;

    /// <summary>From when nothing is sent for a period any more.</summary>
    public Instant DeadlineOf(PeriodDelta delta)
    {
        ArgumentNullException.ThrowIfNull(delta);
        var final = (delta.Deadline ?? Later(delta.Period.End, rules.Grace)) - rules.DeadlineMargin;
        // A whole minute of the period must still be young enough for Stripe.
        return Instant.Min(final, Later(delta.Period.End, rules.OldestMinute - TimeSpan.FromMinutes(2)));
    }

    public bool IsClosed(PeriodDelta delta, Instant now) => now >= DeadlineOf(delta);

    /// <summary>What can no longer be billed and is not carried.</summary>
    public Quantity UnbilledOf(PeriodDelta delta, Instant now)
    {
        ArgumentNullException.ThrowIfNull(delta);
        return IsClosed(delta, now) ? delta.Outstanding : Quantity.Zero;
    }

    /// <summary>Whether what is outstanding of a period is still to be told or carried.</summary>
    public bool IsOwed(PeriodDelta delta, Instant now)
    {
        ArgumentNullException.ThrowIfNull(delta);
        return delta.Outstanding != Quantity.Zero && (rules.Carry != CarryPolicy.AlertOnly || !IsClosed(delta, now));
    }

    /// <summary>When what is outstanding of a closed period can be carried.</summary>
    public Instant CarriedFrom(DeltaDocument document, PeriodDelta late, Instant now)
    {
        ArgumentNullException.ThrowIfNull(document);
        ArgumentNullException.ThrowIfNull(late);
        return RunningAt(document, late, now) is null ? new Instant(((now.Ticks / TimeSpan.TicksPerHour) + 1) * TimeSpan.TicksPerHour) : now;
    }

    /// <summary>
    /// The document with what came too late in another period, and the entry about it as its closed intent; null if
    /// there is nothing to carry.
    /// </summary>
    public DeltaDocument? Carry(DeltaDocument document, Instant now, UInt128 nonce)
    {
        ArgumentNullException.ThrowIfNull(document);
        if (rules.Carry != CarryPolicy.NextPeriod)
            return null;
        var late = document.Periods.FirstOrDefault(delta => delta.Outstanding != Quantity.Zero && IsClosed(delta, now));
        if (late is null)
            return null;
        if (RunningAt(document, late, now) is not { } running)
            return null;
        var amount = late.Outstanding;
        var entry = EntryOf(document, late, running.Period.Start, now, nonce);
        var carried = PeriodCuts.With(
            document.With(late with { CarriedOut = late.CarriedOut + amount }), running with { CarriedIn = running.CarriedIn + amount });
        return PeriodCuts.Noted(document, carried)
            .Closing(entry, out var closed) with { Open = closed, Minted = entry.Number };
    }

    /// <summary>The period that runs; null if its invoice is final already: then the next one is waited for.</summary>
    private PeriodDelta? RunningAt(DeltaDocument document, PeriodDelta late, Instant now)
    {
        var running = document.Present.LastOrDefault(delta => delta.Period.Contains(now));
        if (running is null)
        {
            var period = following(LastEnd(document, late, now), now);
            // One that begins there and was cut keeps what it has.
            running = document.FindOrBegin(period) with { Period = period };
        }

        return IsClosed(running, now) || running.Period.Start == late.Period.Start ? null : running;
    }

    private static Instant LastEnd(DeltaDocument document, PeriodDelta late, Instant now) =>
        document.Present.Select(delta => delta.Period.End).Where(end => end <= now).Append(Instant.Min(late.Period.End, now)).Max();

    private static PushIntent EntryOf(DeltaDocument document, PeriodDelta late, Instant into, Instant now, UInt128 nonce)
    {
        var number = document.Minted + 1;
        return new PushIntent
        {
            Identifier = IntentIdentifier.Of(document.Key, number, nonce), Number = number, Meter = document.Meter,
            Period = late.Period, Value = late.Outstanding, Minute = late.Period.Start, Created = now,
            State = IntentState.Carried, CarriedTo = into,
        };
    }

    private static Instant Later(Instant instant, TimeSpan time) =>
        Instant.Maximum - instant > time ? instant + time : Instant.Maximum;
}
