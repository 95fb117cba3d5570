using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Pushing;

/// <summary>What Stripe's summaries say about an intent.</summary>
public enum Finding
{
    /// <summary>Nothing yet: they lag, or it may still be taken.</summary>
    Unsettled,

    /// <summary>It was counted.</summary>
    Found,

    /// <summary>It was never counted, and never will be.</summary>
    Missing,

    /// <summary>Stripe said that it refused it after accepting it, and its minute is empty.</summary>
    Rejected,

    /// <summary>Its minute holds something else: another writer. Only a human can say what is what.</summary>
    Foreign,
}

/// <summary>
/// The rules by which an intent is settled, one method each. What may have been taken is settled by Stripe's answer to
/// the same again while Stripe knows its identifier, and by its own minute in the summaries after that; never by hope,
/// and never by totals. Open to derivation so that the simulation can take one rule away at a time, and see what breaks.
/// </summary>
public class Settling(PushRules rules)
{
    /// <summary>
    /// What an attempt leaves. Once an attempt may have been taken, only 200 and the duplicate answer settle: a limiter,
    /// a check or a missing permission say nothing about the attempts before. A first attempt that the key was not let
    /// through with stays pending.
    /// </summary>
    public virtual IntentState AfterAttempt(PushIntent open, AttemptResult result)
    {
        ArgumentNullException.ThrowIfNull(open);
        return result switch
        {
            AttemptResult.Accepted or AttemptResult.Duplicate => IntentState.Accepted,
            AttemptResult.Unknown or AttemptResult.UnknownStored => IntentState.Ambiguous,
            _ when open.IsDoubtful => IntentState.Ambiguous,
            AttemptResult.Refused => IntentState.Rejected,
            _ => IntentState.Pending,
        };
    }

    /// <summary>
    /// Whether an intent that may have been taken may be sent again. Stripe refuses a known identifier for 24 hours at
    /// least, and may count it a second time after that. A total only overwrites itself, so it may be sent at any age.
    /// </summary>
    public virtual bool MayResend(PushIntent open, Instant at)
    {
        ArgumentNullException.ThrowIfNull(open);
        return open.Total is not null || at - open.FirstSent < rules.ResendWindow;
    }

    /// <summary>
    /// Whether an accepted intent is looked for in the summaries: one that was answered as a duplicate, because the
    /// identifier may be another event's; one that an error report names; and those that follow a refusal.
    /// </summary>
    public virtual bool IsToBeFound(DeltaDocument document, PushIntent accepted)
    {
        ArgumentNullException.ThrowIfNull(document);
        ArgumentNullException.ThrowIfNull(accepted);
        return accepted.IsDuplicate || accepted.Report.Length > 0 || document.Rejections > 0;
    }

    /// <summary>
    /// What a reading proves. A minute that holds the value proves at once. An empty one proves only when nothing can
    /// come any more and the summaries had time to settle, or when Stripe itself said that it refused the event. Where a
    /// total overwrites, another value is what an empty minute is elsewhere.
    /// </summary>
    public virtual Finding Judge(PushIntent intent, Quantity reading, Instant asked)
    {
        ArgumentNullException.ThrowIfNull(intent);
        if (reading == intent.Sent)
            return Finding.Found;
        if (reading != Quantity.Zero && intent.Total is null)
            return Finding.Foreign;
        if (intent.Report.Length > 0)
            return Finding.Rejected;
        return asked >= SettlesAt(intent) ? Finding.Missing : Finding.Unsettled;
    }

    /// <summary>From when an empty minute proves that an intent is missing.</summary>
    public Instant SettlesAt(PushIntent intent)
    {
        ArgumentNullException.ThrowIfNull(intent);
        // What Stripe took last is the last to be seen.
        var first = (intent.FirstSent ?? intent.Created) + rules.ResendWindow;
        return Instant.Max(first, intent.LastSent ?? first) + rules.SettleTime;
    }
}
