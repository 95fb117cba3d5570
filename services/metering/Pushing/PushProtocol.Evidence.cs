using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Pushing;

/// <summary>What Stripe's summaries and error reports say, and what closed intents leave.</summary>
public sealed partial class PushProtocol
{
    /// <summary>Enters what the summaries hold of an intent. The same document: the intent does not stand there as it did.</summary>
    /// <param name="document">The document as loaded.</param>
    /// <param name="read">The intent as it stood when they were read.</param>
    /// <param name="reading">What they hold; null if they could not be read.</param>
    /// <param name="asked">When they were asked: an answer that was long on its way says nothing about the present.</param>
    public DeltaDocument EnterReading(DeltaDocument document, PushIntent read, Quantity? reading, Instant asked)
    {
        ArgumentNullException.ThrowIfNull(document);
        ArgumentNullException.ThrowIfNull(read);
        // A report that came in between is believed by what is read after it: what lagged before says nothing against an intent.
        if (Standing(document, read.Identifier) is not { } intent
            || (intent.Readings, intent.Attempts, intent.Report) != (read.Readings, read.Attempts, read.Report))
            return document;
        var entered = Judged(intent, reading, asked, ends.IsClosed(document.PeriodOf(intent), asked));
        if (entered.State is not (IntentState.Accepted or IntentState.Ambiguous))
            document = document.Closing(entered, out entered);
        return _schedule.Scheduled(Replaced(document, entered), asked);
    }

    /// <summary>
    /// Enters that an error report of Stripe names an intent: it was accepted, and not counted. Believed once its minute
    /// is seen to be empty. The same document: it was found or rejected already, or there are too many to be looked for.
    /// </summary>
    /// <param name="document">The document as loaded.</param>
    /// <param name="identifier">Names the intent.</param>
    /// <param name="closed">What the history says last of it, read after the document.</param>
    /// <param name="report">What the report says.</param>
    /// <param name="now">The present.</param>
    public DeltaDocument EnterReport(DeltaDocument document, string identifier, PushIntent? closed, string report, Instant now)
    {
        ArgumentNullException.ThrowIfNull(document);
        if (document.Open?.Identifier == identifier)
            return document.Open.IsClosed ? document : document with { Open = document.Open with { Report = report } };
        if (Standing(document, identifier) is { } standing)
            return _schedule.Scheduled(Replaced(document, standing with { Report = report, NextAttempt = now }), now);
        return closed is { State: IntentState.Accepted } && document.Checking.All(intent => intent.Identifier != identifier)
            ? Doubt(document, [closed with { Report = report }], now)
            : document;
    }

    /// <summary>Has accepted intents looked for in the summaries, as many as there is room for.</summary>
    public DeltaDocument Doubt(DeltaDocument document, IReadOnlyCollection<PushIntent> accepted, Instant now)
    {
        ArgumentNullException.ThrowIfNull(document);
        ArgumentNullException.ThrowIfNull(accepted);
        var room = Math.Max(0, rules.MaximumChecks - document.Checking.Count);
        var added = accepted
            .Where(intent => document.Checking.All(other => other.Identifier != intent.Identifier)).Take(room)
            .Select(intent => intent with { Closing = 0, Readings = 0, NextAttempt = now }).ToList();
        return added.Count == 0 ? document : _schedule.Scheduled(document with { Checking = [.. document.Checking, .. added] }, now);
    }

    /// <summary>
    /// Enters what stands at Stripe where totals overwrite, read when everything told there had settled. What is not as
    /// it was told is told again, or carried.
    /// </summary>
    public DeltaDocument Correct(DeltaDocument document, Instant periodStart, ToldSlot slot, Quantity held, Instant now)
    {
        ArgumentNullException.ThrowIfNull(document);
        var delta = document.Find(periodStart) ?? throw new ArgumentException("There is no such period.", nameof(periodStart));
        return held == slot.Told ? document : _schedule.Scheduled(document.With(Corrected(delta, slot, held)), now);
    }

    /// <summary>From when the summaries tell for sure what became of an intent.</summary>
    public Instant SettlesAt(PushIntent intent) => settling.SettlesAt(intent);

    /// <summary>The intent, if it is still to be settled or found.</summary>
    private static PushIntent? Standing(DeltaDocument document, string identifier) =>
        document.Open is { IsClosed: false } open && open.Identifier == identifier
            ? open
            : document.Checking.FirstOrDefault(intent => intent.Identifier == identifier && intent.State == IntentState.Accepted);

    private static DeltaDocument Replaced(DeltaDocument document, PushIntent intent) =>
        document.Open?.Identifier == intent.Identifier
            ? document with { Open = intent }
            : document with { Checking = [.. document.Checking.Select(other => other.Identifier == intent.Identifier ? intent : other)] };

    private PushIntent Judged(PushIntent intent, Quantity? reading, Instant asked, bool isClosed)
    {
        var finding = reading is { } held ? settling.Judge(intent, held, asked) : Finding.Unsettled;
        // What a total overwrote is known only once the summaries are settled; while it can be told again, that is no matter.
        if (finding == Finding.Rejected && intent.Total is not null && isClosed && asked < settling.SettlesAt(intent))
            finding = Finding.Unsettled;
        var instead = intent.Total is null ? null : reading;
        var unsettled = intent with
        {
            State = intent.State == IntentState.Accepted ? IntentState.Accepted : IntentState.Ambiguous,
            Readings = intent.Readings + 1, NextAttempt = NextReading(intent, asked),
        };
        return finding switch
        {
            Finding.Found => intent with { State = IntentState.Confirmed },
            Finding.Missing => intent with { State = IntentState.Missing, Held = instead },
            Finding.Rejected => intent with { State = IntentState.Rejected, Held = instead, LastError = intent.Report },
            Finding.Foreign => unsettled with
            {
                LastError = $"Stripe has {reading} in the minute {intent.Minute}, where only {intent.Sent} was sent: another writer uses this meter.",
            },
            _ => unsettled,
        };
    }

    private Instant NextReading(PushIntent intent, Instant now)
    {
        var next = now + BackOff(rules.FirstReading, rules.LongestReading, intent.Readings + 1);
        // A reading more is of use at the moment from which an empty minute proves something.
        var settles = settling.SettlesAt(intent);
        return settles > now ? Instant.Min(next, settles) : next;
    }

    /// <summary>What the open intent leaves once it is in the history.</summary>
    private DeltaDocument Settled(DeltaDocument document, PushIntent closed, Instant now)
    {
        var settled = document with { Open = null };
        if (closed.State is IntentState.Rejected or IntentState.Missing)
        {
            var delta = document.PeriodOf(closed);
            return Refused(closed.Held is null ? settled : settled.With(TakenBack(delta, closed)), closed, now);
        }

        if (closed.State is not (IntentState.Accepted or IntentState.Confirmed))
            return settled;
        settled = settled.With(Told(document.PeriodOf(closed), closed)) with { HeldUntil = null, Problem = "" };
        if (closed.State == IntentState.Confirmed)
            return settled with { Rejections = 0 };
        var isToBeFound = settling.IsToBeFound(document, closed) && document.Checking.Count < rules.MaximumChecks;
        return isToBeFound
            ? settled with { Checking = [.. settled.Checking, closed with { Closing = 0, NextAttempt = now + rules.FirstReading }] }
            : settled;
    }

    /// <summary>What an accepted intent leaves that was looked for, once that is in the history.</summary>
    private DeltaDocument Found(DeltaDocument document, PushIntent found, Instant now)
    {
        var rest = document with { Checking = [.. document.Checking.Where(intent => intent.Identifier != found.Identifier)] };
        if (found.State == IntentState.Confirmed)
            return document.RejectedAt is { } rejected && found.Created <= rejected ? rest : rest with { Rejections = 0 };
        var delta = document.PeriodOf(found);
        return IsOvertaken(delta, found) ? rest : Refused(rest.With(TakenBack(delta, found)), found, now);
    }

    private static PeriodDelta Told(PeriodDelta delta, PushIntent told)
    {
        if (told.Total is not { } total)
            return delta with { Accepted = delta.Accepted + told.Value };
        // What it overwrote may have been corrected since it was minted.
        var slot = delta.SlotOf(told);
        // Of running totals the newest counts, whichever was told last.
        if (told.Meter.Sink == SinkKind.RunningTotal && slot.Stamp > told.Minute)
            return delta;
        return Corrected(delta, slot with { Number = told.Number, Stamp = told.Minute }, total);
    }

    /// <summary>
    /// What stands at Stripe without the intent. Where totals overwrite that is what the summaries hold; should they have
    /// lagged, the next total puts it right whatever stands there.
    /// </summary>
    private static PeriodDelta TakenBack(PeriodDelta delta, PushIntent untold)
    {
        return untold.Held is { } held
            ? Corrected(delta, delta.SlotOf(untold), held)
            : delta with { Accepted = delta.Accepted - untold.Value };
    }

    private static PeriodDelta Corrected(PeriodDelta delta, ToldSlot slot, Quantity held) =>
        (delta with { Accepted = delta.Accepted + (held - slot.Told) }).With(slot with { Told = held });

    /// <summary>A later intent has overwritten what this one told, so whether it was counted does not matter any more.</summary>
    private static bool IsOvertaken(PeriodDelta delta, PushIntent intent) =>
        intent.Total is not null && delta.SlotOf(intent).Number > intent.Number;

    /// <summary>One more that Stripe did not take. Another intent tells the same later; too many in a row wait for a human.</summary>
    private DeltaDocument Refused(DeltaDocument document, PushIntent refused, Instant now)
    {
        var isInARow = document.RejectedAt is { } last && now - last < rules.RejectionMemory;
        var rejections = isInARow ? document.Rejections + 1 : 1;
        return document with
        {
            Rejections = rejections, RejectedAt = now, Problem = refused.LastError,
            HeldUntil = now + BackOff(rules.FirstRemint, rules.LongestRetry, rejections),
            ParkedSince = rejections >= rules.MaximumRejections ? document.ParkedSince ?? now : document.ParkedSince,
        };
    }
}
