using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Pushing;

/// <summary>Says when a document is due, and since when it is behind.</summary>
internal sealed class PushSchedule(PushRules rules, PeriodEnds ends)
{
    public DeltaDocument Scheduled(DeltaDocument document, Instant now)
    {
        var isBehind = document.Open is not null || document.Periods.Any(delta => ends.IsOwed(delta, now));
        return document with { Due = DueOf(document, now), BehindSince = isBehind ? document.BehindSince ?? now : null };
    }

    /// <summary>Null if nothing is to be done, or only a human can.</summary>
    private Instant? DueOf(DeltaDocument document, Instant now)
    {
        if (document.CutFrom is not null || document.Open is { IsClosed: true } || document.Checking.Any(intent => intent.State != IntentState.Accepted))
            return now;
        Instant? due = document.Open?.NextAttempt;
        foreach (var intent in document.Checking)
            due = Earlier(due, intent.NextAttempt);
        return document.Open is null ? Earlier(due, MintDue(document, now)) : due;
    }

    private Instant? MintDue(DeltaDocument document, Instant now)
    {
        Instant? due = null;
        foreach (var delta in document.Periods.Where(delta => ends.IsOwed(delta, now)))
        {
            if (ends.IsClosed(delta, now))
            {
                due = Earlier(due, ends.CarriedFrom(document, delta, now));
                continue;
            }

            // What cannot be told until then is carried, or is behind no more.
            due = Earlier(due, ends.DeadlineOf(delta));
            if (document.ParkedSince is null && PlannedPush.Of(document, delta, rules, now).From is { } from)
                due = Earlier(due, Instant.Max(Instant.Max(from, now), document.HeldUntil ?? now));
        }

        return due;
    }

    private static Instant? Earlier(Instant? left, Instant? right) =>
        left is { } one && right is { } other ? Instant.Min(one, other) : left ?? right;
}
