using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Pushing;

/// <summary>
/// The rules by which a delta document changes. Pure: each takes a document and answers the next one, to be saved by
/// compare-and-set. Nothing is sent that is not durable as sent, and what was sent stays open until Stripe's answer to
/// it, or to the same again, settles it. So Stripe is never told a unit twice, whatever crashes, is lost or comes late.
/// </summary>
/// <param name="rules">Limits.</param>
/// <param name="jitter">A number from 0 to 1,000 by which back-offs are spread.</param>
/// <param name="settling">By what an intent is settled.</param>
/// <param name="ends">Until when a period is billed.</param>
public sealed partial class PushProtocol(PushRules rules, Func<int> jitter, Settling settling, PeriodEnds ends)
{
    private const int MaximumDoublings = 20;
    private const int JitterSteps = 1_000;
    private readonly PushSchedule _schedule = new(rules, ends);

    public PushProtocol(PushRules rules, Func<int> jitter)
        : this(rules, jitter, new Settling(rules), new PeriodEnds(rules, PeriodAnchor.Following))
    {
    }

    /// <summary>Until when a period is billed.</summary>
    public PeriodEnds Ends => ends;

    /// <summary>What is to be done now.</summary>
    /// <param name="document">The document as loaded.</param>
    /// <param name="now">The present.</param>
    /// <param name="nonce">128 random bits for an identifier.</param>
    public PushStep Next(DeltaDocument document, Instant now, UInt128 nonce)
    {
        ArgumentNullException.ThrowIfNull(document);
        if (document.Open is { IsClosed: true } closed)
            return new PushStep.Close(closed, _schedule.Scheduled(Settled(document, closed, now), now));
        if (document.Checking.FirstOrDefault(intent => intent.State != IntentState.Accepted) is { } found)
            return new PushStep.Close(found, _schedule.Scheduled(Found(document, found, now), now));
        if (document.CutFrom is { } from)
            return new PushStep.Sort(PeriodCuts.FirstClosingOf(document, from));
        if (document.Open is { } open && open.NextAttempt <= now)
            return Continue(document, open, now);
        if (document.Checking.FirstOrDefault(intent => intent.NextAttempt <= now) is { } sought)
            return new PushStep.Read(sought);
        return document.Open is null ? Begin(document, now, nonce) : Rest(document, now);
    }

    /// <summary>Enters how an attempt ended. The same document: it says nothing about the open intent as it stands now.</summary>
    /// <param name="document">The document as loaded.</param>
    /// <param name="sent">The intent as it was sent.</param>
    /// <param name="outcome">How that ended.</param>
    /// <param name="now">The present.</param>
    public DeltaDocument Apply(DeltaDocument document, PushIntent sent, AttemptOutcome outcome, Instant now)
    {
        ArgumentNullException.ThrowIfNull(document);
        ArgumentNullException.ThrowIfNull(sent);
        if (document.Open is not { IsClosed: false } open || open.Identifier != sent.Identifier)
            return document;
        var isSettled = outcome.Result is AttemptResult.Accepted or AttemptResult.Duplicate;
        // Another attempt has begun since: what this one says is not the last word any more, unless it settles.
        if (!isSettled && open.Attempts != sent.Attempts)
            return document;
        var state = settling.AfterAttempt(open, outcome.Result);
        var entered = open with
        {
            State = state,
            IsDuplicate = open.IsDuplicate || outcome.Result == AttemptResult.Duplicate,
            LastError = isSettled ? open.LastError : outcome.Message,
            NextAttempt = now + Longest(outcome.RetryAfter ?? TimeSpan.Zero, BackOff(rules.FirstRetry, rules.LongestRetry, open.Attempts)),
            KeyNumber = open.KeyNumber + (outcome.Result == AttemptResult.UnknownStored ? 1 : 0),
        };
        if (entered.IsClosed)
            document = document.Closing(entered, out entered);
        return _schedule.Scheduled(document with { Open = entered }, now);
    }

    private PushStep Continue(DeltaDocument document, PushIntent open, Instant now)
    {
        var isClosed = ends.IsClosed(document.PeriodOf(open), now);
        if (open.State == IntentState.Pending && (isClosed || PlannedPush.IsTooEarly(document, open)))
        {
            var late = document.Closing(open with { State = IntentState.Expired }, out var expired);
            return new PushStep.Keep(_schedule.Scheduled(late with { Open = expired }, now));
        }

        // What may have been taken is not sent again once that might bill it twice, or on no invoice.
        var mayBeSent = open.State == IntentState.Pending || (!isClosed && settling.MayResend(open, now));
        return mayBeSent ? new PushStep.Attempt(Begin(document, open, now)) : new PushStep.Read(open);
    }

    /// <summary>Carries what came too late, or mints an intent for a period that is not told of yet.</summary>
    private PushStep Begin(DeltaDocument document, Instant now, UInt128 nonce)
    {
        if (ends.Carry(document, now, nonce) is { } carried)
            return new PushStep.Keep(_schedule.Scheduled(carried, now));
        if (document.ParkedSince is not null || document.HeldUntil > now)
            return Rest(document, now);
        foreach (var delta in document.Periods)
        {
            if (delta.Outstanding == Quantity.Zero || ends.IsClosed(delta, now))
                continue;
            var planned = PlannedPush.Of(document, delta, rules, now);
            if (planned.Stamp is not null && planned.From <= now)
                return new PushStep.Attempt(Mint(document, delta, planned, now, nonce));
        }

        return Rest(document, now);
    }

    /// <summary>
    /// What was due by the clock may wait now, for a minute that another intent has taken; and what was behind may have
    /// come to its end.
    /// </summary>
    private PushStep Rest(DeltaDocument document, Instant now)
    {
        var scheduled = _schedule.Scheduled(document, now);
        return scheduled.Due == document.Due && scheduled.BehindSince == document.BehindSince
            ? new PushStep.Rest(document.Due)
            : new PushStep.Keep(scheduled);
    }

    private DeltaDocument Mint(DeltaDocument document, PeriodDelta delta, PlannedPush planned, Instant now, UInt128 nonce)
    {
        var number = document.Minted + 1;
        var intent = new PushIntent
        {
            Identifier = IntentIdentifier.Of(document.Key, number, nonce), Number = number, Meter = document.Meter,
            Period = delta.Period, Value = planned.Value, Total = planned.Total, Minute = planned.Stamp!.Value, Created = now,
            Basis = TargetBasis.Of(delta),
        };
        var minted = document with { Minted = number, LastMinted = now, IsSplit = planned.Value != delta.Outstanding };
        // Only where each has a minute of its own are they to be remembered.
        if (planned.Total is null)
            minted = minted with { Used = document.Used.Since(now - rules.MinuteMemory).With(intent.Minute.ToMinute()) };
        return Begin(minted, intent, now);
    }

    private DeltaDocument Begin(DeltaDocument document, PushIntent intent, Instant now)
    {
        // Whoever finds it sent, or ambiguous, cannot know whether Stripe took that attempt.
        var isDoubtful = intent.State is IntentState.Sent or IntentState.Ambiguous;
        return _schedule.Scheduled(
            document with
            {
                Open = intent with
                {
                    State = IntentState.Sent, Attempts = intent.Attempts + 1, IsDoubtful = isDoubtful,
                    FirstSent = isDoubtful ? intent.FirstSent : now, LastSent = now, NextAttempt = now + rules.AttemptLease,
                },
            },
            now);
    }

    private TimeSpan BackOff(TimeSpan first, TimeSpan limit, int attempts)
    {
        var doubled = TimeSpan.FromTicks(first.Ticks << Math.Clamp(attempts - 1, 0, MaximumDoublings));
        var longest = doubled < limit ? doubled : limit;
        // Half of it fixed, half of it spread.
        return TimeSpan.FromTicks((longest.Ticks / 2) + (longest.Ticks / 2 / JitterSteps * jitter()));
    }

    private static TimeSpan Longest(TimeSpan left, TimeSpan right) => left > right ? left : right;
}
