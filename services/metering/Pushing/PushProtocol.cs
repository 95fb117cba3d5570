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
public sealed class PushProtocol(PushRules rules, Func<int> jitter)
{
    private const int MaximumDoublings = 20;
    private const int JitterSteps = 1_000;

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
        var delta = document.Find(period.Start) ?? new PeriodDelta { Period = period };
        var present = delta.Find(contribution.Metric, contribution.Customer);
        if (present is { HasLeft: false })
            contribution = contribution with { Elsewhere = present.Elsewhere };
        if (present is not null && present.LogId == contribution.LogId && present.Version > contribution.Version)
            contribution = present;
        var raised = document;
        if (present != contribution || delta.Period != period || document.Meter != meter)
            raised = document.With(delta.With(contribution) with { Period = period }) with { Meter = meter };
        if (document.ParkedSince is { } parked && mapped > parked)
            raised = raised with { ParkedSince = null, Rejections = 0, HeldUntil = null, Problem = "" };
        return ReferenceEquals(raised, document) ? document : Scheduled(raised, now);
    }

    /// <summary>
    /// Ends the growth of a contribution whose reference belongs to another Stripe customer now. Always answers a
    /// document to be saved: that is what keeps two takers from taking from each other.
    /// </summary>
    public DeltaDocument Leave(DeltaDocument document, Instant periodStart, string metric, string customer, Instant now)
    {
        ArgumentNullException.ThrowIfNull(document);
        var delta = document.Find(periodStart) ?? throw new ArgumentException("There is no such period.", nameof(periodStart));
        var present = delta.Find(metric, customer) ?? throw new ArgumentException("There is no such contribution.", nameof(metric));
        return Scheduled(document.With(delta.With(present with { HasLeft = true })), now);
    }

    /// <summary>Holds a document back: nothing is minted before <paramref name="until"/>.</summary>
    public DeltaDocument Hold(DeltaDocument document, Instant until, string problem, Instant now)
    {
        ArgumentNullException.ThrowIfNull(document);
        var open = document.Open is { IsClosed: false } intent ? intent with { NextAttempt = until, LastError = problem } : document.Open;
        return Scheduled(document with { Open = open, HeldUntil = until, Problem = problem }, now);
    }

    /// <summary>What is to be done now.</summary>
    /// <param name="document">The document as loaded.</param>
    /// <param name="now">The present.</param>
    /// <param name="nonce">128 random bits for an identifier.</param>
    public PushStep Next(DeltaDocument document, Instant now, UInt128 nonce)
    {
        ArgumentNullException.ThrowIfNull(document);
        if (document.Open is { IsClosed: true } closed)
            return new PushStep.Close(closed, Scheduled(Settled(document, closed, now), now));
        if (document.Open is { } open)
            return Continue(document, open, now);
        if (document.ParkedSince is not null || document.HeldUntil > now)
            return new PushStep.Rest(document.Due);
        foreach (var delta in document.Periods)
        {
            if (delta.Outstanding == Quantity.Zero)
                continue;
            var stamp = StampMinute.For(document, delta, rules, now);
            if (stamp.Minute is { } minute && stamp.From <= now)
                return new PushStep.Attempt(Mint(document, delta, minute, now, nonce));
        }

        // What was due by the clock may wait now, for a minute that another intent has taken.
        var scheduled = Scheduled(document, now);
        return scheduled.Due == document.Due ? new PushStep.Rest(document.Due) : new PushStep.Keep(scheduled);
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
        var state = isSettled ? IntentState.Accepted : StateAfter(open, outcome.Result);
        return Scheduled(
            document with
            {
                Open = open with
                {
                    State = state,
                    LastError = isSettled ? open.LastError : outcome.Message,
                    NextAttempt = now + Longest(outcome.RetryAfter ?? TimeSpan.Zero, BackOff(rules.FirstRetry, open.Attempts)),
                    KeyNumber = open.KeyNumber + (outcome.Result == AttemptResult.UnknownStored ? 1 : 0),
                },
            },
            now);
    }

    /// <summary>What an answer that does not settle leaves. An earlier attempt that may have been taken stays in doubt.</summary>
    private static IntentState StateAfter(PushIntent open, AttemptResult result) => result switch
    {
        AttemptResult.Unknown or AttemptResult.UnknownStored => IntentState.Ambiguous,
        _ when open.IsDoubtful => IntentState.Ambiguous,
        AttemptResult.Refused => IntentState.Rejected,
        _ => IntentState.Pending,
    };

    private PushStep Continue(DeltaDocument document, PushIntent open, Instant now)
    {
        if (open.NextAttempt > now)
            return new PushStep.Rest(document.Due);
        if (!IsAbandoned(open, now))
            return new PushStep.Attempt(Begin(document, open, now));
        if (open.State == IntentState.Ambiguous && document.Due is null)
            return new PushStep.Rest(null);
        var abandoned = open with { State = IntentState.Ambiguous, NextAttempt = now };
        return new PushStep.Keep(Scheduled(document with { Open = abandoned }, now));
    }

    /// <summary>It may have been taken, and Stripe may have forgotten its identifier since: to send it again could count it twice.</summary>
    private bool IsAbandoned(PushIntent open, Instant at) =>
        open.State is IntentState.Sent or IntentState.Ambiguous && at - open.FirstSent >= rules.ResendWindow;

    private DeltaDocument Mint(DeltaDocument document, PeriodDelta delta, Instant minute, Instant now, UInt128 nonce)
    {
        var number = document.Minted + 1;
        var value = PushValue.FirstPartOf(delta.Outstanding);
        var intent = new PushIntent
        {
            Identifier = IntentIdentifier.Of(document.Key, number, nonce), Number = number, Meter = document.Meter,
            PeriodStart = delta.Period.Start, Value = value, Minute = minute, Created = now,
        };
        var minted = document with
        {
            Minted = number, LastMinted = now, IsSplit = value != delta.Outstanding,
            Used = document.Used.Since(now - rules.MinuteMemory).With(minute),
        };
        return Begin(minted, intent, now);
    }

    private DeltaDocument Begin(DeltaDocument document, PushIntent intent, Instant now)
    {
        // Whoever finds it sent, or ambiguous, cannot know whether Stripe took that attempt.
        var isDoubtful = intent.State is IntentState.Sent or IntentState.Ambiguous;
        return Scheduled(
            document with
            {
                Open = intent with
                {
                    State = IntentState.Sent, Attempts = intent.Attempts + 1, IsDoubtful = isDoubtful,
                    FirstSent = isDoubtful ? intent.FirstSent : now, NextAttempt = now + rules.AttemptLease,
                },
            },
            now);
    }

    private DeltaDocument Settled(DeltaDocument document, PushIntent closed, Instant now)
    {
        var settled = document with { Open = null };
        if (closed.State == IntentState.Rejected)
        {
            var rejections = document.Rejections + 1;
            return settled with
            {
                Rejections = rejections, Problem = closed.LastError, HeldUntil = now + BackOff(rules.FirstRemint, rejections),
                ParkedSince = rejections >= rules.MaximumRejections ? now : null,
            };
        }

        var delta = document.Find(closed.PeriodStart)!;
        return settled.With(delta with { Accepted = delta.Accepted + closed.Value }) with
        {
            Rejections = 0, HeldUntil = null, Problem = "",
        };
    }

    /// <summary>Sets when the document is due, and since when it is behind.</summary>
    private DeltaDocument Scheduled(DeltaDocument document, Instant now)
    {
        var isBehind = document.Open is not null || document.Periods.Any(delta => delta.Outstanding != Quantity.Zero);
        return document with { Due = DueOf(document, now), BehindSince = isBehind ? document.BehindSince ?? now : null };
    }

    private Instant? DueOf(DeltaDocument document, Instant now)
    {
        if (document.Open is { IsClosed: true })
            return now;
        if (document.Open is { } open)
            return open.State != IntentState.Sent && IsAbandoned(open, open.NextAttempt) ? null : open.NextAttempt;
        if (document.ParkedSince is not null)
            return null;
        Instant? due = null;
        foreach (var delta in document.Periods)
        {
            if (delta.Outstanding != Quantity.Zero && StampMinute.For(document, delta, rules, now).From is { } from)
                due = Instant.Min(due ?? from, from);
        }

        return due is { } earliest ? Instant.Max(Instant.Max(earliest, now), document.HeldUntil ?? now) : null;
    }

    private TimeSpan BackOff(TimeSpan first, int attempts)
    {
        var doubled = TimeSpan.FromTicks(first.Ticks << Math.Clamp(attempts - 1, 0, MaximumDoublings));
        var longest = doubled < rules.LongestRetry ? doubled : rules.LongestRetry;
        // Half of it fixed, half of it spread.
        return TimeSpan.FromTicks((longest.Ticks / 2) + (longest.Ticks / 2 / JitterSteps * jitter()));
    }

    private static TimeSpan Longest(TimeSpan left, TimeSpan right) => left > right ? left : right;
}
