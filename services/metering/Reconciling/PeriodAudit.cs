using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Reconciling;

/// <summary>
/// Compares a period with what Stripe's summaries hold. A total that differs proves nothing about any one intent; it is
/// the alarm that has the intents of those hours looked for that differ, each in its own minute.
/// </summary>
public sealed class PeriodAudit(IDeltaLedger ledger, IMeterSummaries summaries, PushProtocol protocol, TimeProvider clock)
{
    /// <summary>Entries of the history read for one audit, from its period's first on: more than a document can have in a month.</summary>
    public const int MaximumIntents = 200_000;

    /// <summary>Readings made to find out in which minutes somebody else wrote.</summary>
    public const int MaximumMinuteReadings = 30;

    /// <summary>Minutes in which somebody else wrote, told of one period.</summary>
    public const int MaximumForeign = 20;

    /// <summary>Summaries usually take no longer; a younger push explains a difference.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromHours(1);

    private static readonly TimeSpan OneMinute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan OneHour = TimeSpan.FromHours(1);

    private Instant Now => Instant.Of(clock.GetUtcNow());

    /// <summary>Compares one period, and takes nothing for granted.</summary>
    public Task<PeriodFinding?> AuditAsync(DeltaKey key, Instant periodStart, CancellationToken cancellation) =>
        AuditAsync(key, periodStart, default, cancellation);

    /// <summary>Compares one period. Null if the document does not have it.</summary>
    /// <exception cref="Ledger.StoreUnavailableException">The ledger cannot be read or written now.</exception>
    public async Task<PeriodFinding?> AuditAsync(DeltaKey key, Instant periodStart, AuditScope scope, CancellationToken cancellation)
    {
        var before = await ledger.LoadAsync(key, cancellation).ConfigureAwait(false);
        if (before?.Find(periodStart) is not { } read)
            return null;
        var total = await summaries.TotalAsync(key, FirstMinute(read.Period), read.Period.End.ToMinute(), cancellation).ConfigureAwait(false);
        var document = await ledger.LoadAsync(key, cancellation).ConfigureAwait(false);
        if (document?.Find(periodStart) is not { } delta)
            return null;
        var finding = new PeriodFinding(key, delta.Period, Agreement.Unknown, delta.Expected, delta.Accepted, total);
        // What Stripe holds there is told by the periods that there are instead.
        if (document.CutFrom is null && !document.Present.Contains(delta) && (delta.Expected, delta.Accepted) == default)
            return finding with { Agreement = Agreement.Agrees, AtStripe = Quantity.Zero };
        var hasMoved = document.CutFrom is not null || delta.Accepted != read.Accepted || document.Minted != before.Minted || document.Open?.State != before.Open?.State;
        if (total is not { } held || hasMoved)
            return finding;
        var ours = held - scope.Known;
        var isOpen = document.Open is { } open && document.PeriodOf(open) == delta && ours == delta.Accepted + open.Value;
        if (ours != delta.Accepted && !isOpen)
            return await InvestigateAsync(document, finding, scope, cancellation).ConfigureAwait(false);
        if (delta.Confirmed != held && !isOpen)
            await ledger.SaveAsync(document.With(delta with { Confirmed = held }), cancellation).ConfigureAwait(false);
        return finding with { Agreement = Agreement.Agrees };
    }

    private async Task<PeriodFinding> InvestigateAsync(
        DeltaDocument document, PeriodFinding finding, AuditScope scope, CancellationToken cancellation)
    {
        var told = await ToldAsync(document, document.Find(finding.Period.Start)!, cancellation).ConfigureAwait(false);
        if (document.Meter.Sink != SinkKind.Deltas)
            return await CorrectAsync(document, finding, told, cancellation).ConfigureAwait(false);
        told.RemoveAll(intent => intent.State is not (IntentState.Accepted or IntentState.Confirmed));
        var young = told.Where(intent => Now - intent.Created < Patience).ToList();
        if (!scope.IsThorough && MayLag(finding.AtStripe!.Value - scope.Known - finding.Accepted, young))
            return finding with { Agreement = Agreement.MayLag };
        var hours = await summaries.HoursAsync(
            document.Key, finding.Period.Start.Floor(OneHour), finding.Period.End.Floor(OneHour) + OneHour, cancellation).ConfigureAwait(false);
        if (hours is null || await EdgesAsync(document.Key, finding.Period, cancellation).ConfigureAwait(false) is not { } edges)
            return finding;
        var theirs = hours.ExceptBy(edges.Select(edge => edge.Start), hour => hour.Start).Concat(edges).Where(hour => hour.Value != Quantity.Zero)
            .GroupBy(hour => hour.Start).ToDictionary(hour => hour.Key, hour => hour.Aggregate(Quantity.Zero, (sum, part) => sum + part.Value));
        var ours = told.GroupBy(intent => intent.Minute.Floor(OneHour)).ToDictionary(hour => hour.Key, hour => hour.ToList());
        // An hour with a young push may lag, and says nothing yet.
        foreach (var unsettled in young.Select(intent => intent.Minute.Floor(OneHour)))
            _ = ours.Remove(unsettled) | theirs.Remove(unsettled);
        var differing = ours.Where(hour => Sum(hour.Value) != theirs.GetValueOrDefault(hour.Key)).ToList();
        var excess = ForeignIn(finding.Period, ours, theirs).ToList();
        if (young.Count > 0 && differing.Count == 0 && excess.Count == 0)
            return finding with { Agreement = Agreement.MayLag };
        finding = finding with { Foreign = await MinutesOfAsync(finding, excess, told, cancellation).ConfigureAwait(false) };
        // What was found in its minute is told no better by looking again.
        var suspects = differing.SelectMany(hour => hour.Value).Where(intent => intent.State == IntentState.Accepted).ToList();
        return await DoubtAsync(document, finding, suspects, cancellation).ConfigureAwait(false);
    }

    /// <summary>Whether Stripe may only not show yet what was told it lately.</summary>
    private static bool MayLag(Quantity difference, List<PushIntent> young)
    {
        var most = -Sum(young.Where(intent => intent.Value > Quantity.Zero));
        var least = -Sum(young.Where(intent => intent.Value < Quantity.Zero));
        return young.Count > 0 && difference >= most && difference <= least;
    }

    /// <summary>
    /// The hours that a period's edges cut, with what they hold within the period: the rest belongs to its neighbours. Null if it
    /// cannot be read now.
    /// </summary>
    private async Task<IReadOnlyList<HourTotal>?> EdgesAsync(DeltaKey key, BillingPeriod period, CancellationToken cancellation)
    {
        var edges = new List<HourTotal>();
        foreach (var hour in (Instant[])[period.Start.Floor(OneHour), period.End.Floor(OneHour)])
        {
            var (start, end) = Within(period, hour);
            if (start >= end || end - start == OneHour || edges.Any(edge => edge.Start == hour))
                continue;
            if (await summaries.TotalAsync(key, start, end, cancellation).ConfigureAwait(false) is not { } held)
                return null;
            edges.Add(new HourTotal(hour, held));
        }

        return edges;
    }

    /// <summary>The minutes in which hours hold what no intent told: the half that differs is halved again.</summary>
    private async Task<IReadOnlyList<ForeignUsage>> MinutesOfAsync(
        PeriodFinding finding, List<HourTotal> hours, List<PushIntent> told, CancellationToken cancellation)
    {
        var found = new List<ForeignUsage>();
        var parts = new Queue<(Instant Start, int Minutes, Quantity Excess)>(hours.Select(hour =>
        {
            var (start, end) = Within(finding.Period, hour.Start);
            return (start, (int)((end - start).Ticks / TimeSpan.TicksPerMinute), hour.Value);
        }));
        for (var readings = 0; parts.TryDequeue(out var part) && found.Count < MaximumForeign;)
        {
            var (half, middle) = (part.Minutes / 2, part.Start + TimeSpan.FromMinutes(part.Minutes / 2));
            var total = part.Minutes > 1 && readings++ < MaximumMinuteReadings
                ? await summaries.TotalAsync(finding.Key, part.Start, middle, cancellation).ConfigureAwait(false)
                : null;
            if (total is not { } held)
            {
                found.Add(new ForeignUsage(part.Start, part.Excess));
                continue;
            }

            var first = held - Sum(told.Where(intent => intent.Minute >= part.Start && intent.Minute < middle));
            if (first != Quantity.Zero)
                parts.Enqueue((part.Start, half, first));
            if (part.Excess != first)
                parts.Enqueue((middle, part.Minutes - half, part.Excess - first));
        }

        return [.. found.OrderBy(usage => usage.Minute)];
    }

    private async Task<PeriodFinding> DoubtAsync(
        DeltaDocument document, PeriodFinding finding, IReadOnlyCollection<PushIntent> suspects, CancellationToken cancellation)
    {
        var doubted = protocol.Doubt(document, suspects, Now);
        var isSaved = !ReferenceEquals(doubted, document) && await ledger.SaveAsync(doubted, cancellation).ConfigureAwait(false);
        return finding with
        {
            Agreement = Agreement.Differs,
            Doubted = isSaved ? doubted.Checking.Count - document.Checking.Count : 0,
        };
    }

    /// <summary>
    /// Where totals overwrite, what stands there is the truth, once all that was told there has settled. It is entered,
    /// and what it lacks is told again.
    /// </summary>
    private async Task<PeriodFinding> CorrectAsync(
        DeltaDocument document, PeriodFinding finding, List<PushIntent> told, CancellationToken cancellation)
    {
        var (asked, corrected, settled, unsettled) = (Now, document, 0, 0);
        var delta = document.Find(finding.Period.Start)!;
        foreach (var slot in SlotsOf(delta, told))
        {
            var theirs = told.Where(intent => delta.SlotOf(intent).Start == slot.Start);
            if (theirs.Any(intent => asked < protocol.SettlesAt(intent)) || (document.Open is { } open && document.PeriodOf(open) == delta))
            {
                unsettled++;
                continue;
            }

            var (start, end) = RangeOf(document.Meter.Sink, slot, finding.Period);
            if (await summaries.TotalAsync(document.Key, start, end, cancellation).ConfigureAwait(false) is not { } held)
                return finding;
            corrected = protocol.Correct(corrected, finding.Period.Start, slot, held, asked);
            settled++;
        }

        var isSaved = !ReferenceEquals(corrected, document) && await ledger.SaveAsync(corrected, cancellation).ConfigureAwait(false);
        // What differs may be in what has not settled.
        var mayLag = settled == 0 || (unsettled > 0 && !isSaved);
        return finding with { Agreement = mayLag ? Agreement.MayLag : Agreement.Differs, Doubted = isSaved ? 1 : 0 };
    }

    /// <summary>What may hold anything: also where a total was sent whose answer never came before its period was over.</summary>
    private static IEnumerable<ToldSlot> SlotsOf(PeriodDelta delta, List<PushIntent> told) =>
        delta.Slots.Concat(told.Where(intent => intent.Total is not null).Select(delta.SlotOf)).DistinctBy(slot => slot.Start);

    private static (Instant Start, Instant End) RangeOf(SinkKind sink, ToldSlot slot, BillingPeriod period) => sink switch
    {
        SinkKind.HourTotals => (slot.Start, slot.Start + TimeSpan.FromHours(1)),
        SinkKind.DayTotals => (slot.Start, slot.Start + TimeSpan.FromDays(1)),
        _ => (FirstMinute(period), period.End.ToMinute()),
    };

    /// <summary>Hours that hold more or less than what was surely told in them.</summary>
    private static IEnumerable<HourTotal> ForeignIn(
        BillingPeriod period, Dictionary<Instant, List<PushIntent>> ours, Dictionary<Instant, Quantity> theirs) =>
        from hour in theirs
        let told = ours.GetValueOrDefault(hour.Key, [])
        let within = Within(period, hour.Key)
        where within.Start < within.End && told.All(intent => intent.State == IntentState.Confirmed) && Sum(told) != hour.Value
        orderby hour.Key
        select new HourTotal(hour.Key, hour.Value - Sum(told));

    /// <summary>The intents of a period as the history last says.</summary>
    private async Task<List<PushIntent>> ToldAsync(DeltaDocument document, PeriodDelta delta, CancellationToken cancellation)
    {
        var upTo = Math.Min(document.Closings, delta.FirstClosing + MaximumIntents);
        var last = await DeltaHistory.LastAsync(ledger, document.Key, delta.FirstClosing, upTo, cancellation).ConfigureAwait(false);
        return [.. last.Where(intent => document.PeriodOf(intent) == delta)];
    }

    private static Quantity Sum(IEnumerable<PushIntent> intents) =>
        intents.Aggregate(Quantity.Zero, (sum, intent) => sum + intent.Value);

    /// <summary>Summaries are cut at minutes. No intent is stamped in a minute that a period's edge cuts.</summary>
    private static Instant FirstMinute(BillingPeriod period) => period.Start.Ceiling(OneMinute);

    /// <summary>The whole minutes of an hour that are within a period.</summary>
    private static (Instant Start, Instant End) Within(BillingPeriod period, Instant hour) =>
        (Instant.Max(hour, FirstMinute(period)), Instant.Min(hour + OneHour, period.End.ToMinute()));
}
