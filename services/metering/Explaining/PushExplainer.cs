using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Explaining;

/// <summary>Follows the pushes of one tenant: from a Stripe identifier to the records behind it, and from a record to its pushes.</summary>
public sealed class PushExplainer(ITenantStore tenant)
{
    /// <summary>Entries of the history read at a time.</summary>
    public const int PageIntents = 500;

    /// <summary>Pages of the history read for one answer: more than a document can have in a month.</summary>
    public const int MaximumPages = 400;

    /// <summary>Documents that one counter contributes to.</summary>
    public const int MaximumDocuments = 1_000;

    /// <summary>What became of a push of a document, and what it told; null if the document has none of this identifier.</summary>
    public async Task<PushTrail?> FindAsync(DeltaKey key, string identifier, CancellationToken cancellation)
    {
        if (await tenant.Deltas.LoadAsync(key, cancellation).ConfigureAwait(false) is not { } document)
            return null;
        var standing = document.Open?.Identifier == identifier ? document.Open : document.Checking.FirstOrDefault(intent => intent.Identifier == identifier);
        var intent = standing ?? await tenant.Deltas.FindClosedAsync(identifier, cancellation).ConfigureAwait(false);
        if (intent is null || document.Find(intent.PeriodStart) is not { } delta)
            return null;
        var changes = await ChangesOfAsync(document, intent, cancellation).ConfigureAwait(false);
        return new PushTrail(key, delta.Period, intent, changes);
    }

    /// <summary>A page of the records that a push told, counter by counter.</summary>
    public async Task<ToldPage> RecordsAsync(PushTrail trail, ToldCursor place, int limit, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(trail);
        if (place.Change < 0 || place.Change >= trail.Changes.Count)
            return new ToldPage([], null);
        var change = trail.Changes[place.Change];
        var query = new EventQuery
        {
            Customer = change.Counter.Customer, Metric = change.Counter.Metric, Controls = true, From = trail.Period.Start,
            To = trail.Period.End == Instant.Maximum ? trail.Period.End : new Instant(trail.Period.End.Ticks - 1),
            UpTo = change.Counter.Version.Position, Ascending = true, After = place.After, Limit = limit,
        };
        var found = await tenant.Ledger.QueryAsync(query, cancellation).ConfigureAwait(false);
        var told = found.Where(entry => Tells(entry.Record) && change.Holds(entry.Position)).ToList();
        if (found.Count == limit)
            return new ToldPage(told, place with { After = EventCursor.Of(found[^1], query.Order) });
        return new ToldPage(told, place.Change + 1 < trail.Changes.Count ? new ToldCursor(place.Change + 1, null) : null);
    }

    /// <summary>
    /// The pushes that told a record: of each document the first that Stripe took with the record in it, or the one under
    /// way. None if it was not told yet.
    /// </summary>
    /// <param name="metric">Metric of the record.</param>
    /// <param name="customer">Customer reference of the record.</param>
    /// <param name="at">An instant of its billing period.</param>
    /// <param name="position">From where on a counter holds it: its own, or that of its approval.</param>
    /// <param name="cancellation">Ends the search.</param>
    public async Task<IReadOnlyList<PushTrail>> PushesOfAsync(
        string metric, string customer, Instant at, long position, CancellationToken cancellation)
    {
        var query = new DeltaQuery { Metric = metric, Customer = customer, Limit = MaximumDocuments };
        var pushes = new List<PushTrail>();
        foreach (var document in await tenant.Deltas.ListAsync(query, cancellation).ConfigureAwait(false))
        {
            if (document.Periods.FirstOrDefault(delta => delta.Period.Contains(at)) is not { } delta)
                continue;
            if (await FirstWithAsync(document, delta, metric, customer, position, cancellation).ConfigureAwait(false) is { } intent)
                pushes.Add(new PushTrail(document.Key, delta.Period, intent, await ChangesOfAsync(document, intent, cancellation).ConfigureAwait(false)));
        }

        return pushes;
    }

    private async Task<PushIntent?> FirstWithAsync(
        DeltaDocument document, PeriodDelta delta, string metric, string customer, long position, CancellationToken cancellation)
    {
        var last = 0L;
        for (var read = 0; read < MaximumPages; read++)
        {
            var page = await tenant.Deltas.HistoryAsync(document.Key, last, PageIntents, cancellation).ConfigureAwait(false);
            foreach (var intent in page.Where(Holds))
            {
                if (await WasTakenAsync(intent, cancellation).ConfigureAwait(false))
                    return intent;
            }

            if (page.Count < PageIntents)
                break;
            last = page[^1].Closing;
        }

        return document.Open is { } open && Holds(open) ? open : null;

        bool Holds(PushIntent intent) =>
            intent.PeriodStart == delta.Period.Start && intent.Basis.Find(metric, customer)?.Version.Position >= position;
    }

    /// <summary>What of each counter was new to Stripe, by the pushes before that it took.</summary>
    private async Task<IReadOnlyList<ToldChange>> ChangesOfAsync(DeltaDocument document, PushIntent intent, CancellationToken cancellation)
    {
        var before = new Dictionary<ToldCounter, ToldCounter>();
        var end = intent.Closing > 0 ? intent.Closing : document.Closings;
        for (var read = 0; read < MaximumPages && end > 0 && before.Count < intent.Basis.Counters.Count; read++)
        {
            var start = Math.Max(0, end - PageIntents);
            var page = await tenant.Deltas.HistoryAsync(document.Key, start, (int)(end - start), cancellation).ConfigureAwait(false);
            foreach (var earlier in page.Reverse().Where(other => other.PeriodStart == intent.PeriodStart && other.Number < intent.Number))
            {
                foreach (var counter in intent.Basis.Counters.Where(counter => !before.ContainsKey(counter)))
                {
                    var told = earlier.Basis.Find(counter.Metric, counter.Customer);
                    if (told?.LogId == counter.LogId && await WasTakenAsync(earlier, cancellation).ConfigureAwait(false))
                        before.Add(counter, told);
                }
            }

            end = start;
        }

        return [.. intent.Basis.Counters.Select(counter => before.GetValueOrDefault(counter) is { } told
            ? new ToldChange(counter, told.Version.Position, told.Version.RecutPosition != counter.Version.RecutPosition)
            : new ToldChange(counter, 0, false))];
    }

    /// <summary>Whether Stripe took it, as far as is known now.</summary>
    private async Task<bool> WasTakenAsync(PushIntent intent, CancellationToken cancellation) =>
        (await tenant.Deltas.FindClosedAsync(intent.Identifier, cancellation).ConfigureAwait(false) ?? intent).State
            is IntentState.Accepted or IntentState.Confirmed;

    /// <summary>A late event is told by its approval.</summary>
    private static bool Tells(LedgerRecord record) => record.Kind is RecordKind.AdjustmentApproved or RecordKind.LateEventApproved
        || (record.Kind == RecordKind.Event && !record.Late);
}
