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

    /// <summary>Pages of the history, of one document or several, read for one page of the pushes that carried a record.</summary>
    public const int PagesOfAnswer = 20;

    /// <summary>What became of a push of a document, and what it told; null if the document has none of this identifier.</summary>
    public async Task<PushTrail?> FindAsync(DeltaKey key, string identifier, CancellationToken cancellation)
    {
        if (await tenant.Deltas.LoadAsync(key, cancellation).ConfigureAwait(false) is not { } document)
            return null;
        var standing = document.Open?.Identifier == identifier ? document.Open : document.Checking.FirstOrDefault(intent => intent.Identifier == identifier);
        var intent = standing ?? await tenant.Deltas.FindClosedAsync(identifier, cancellation).ConfigureAwait(false);
        if (intent is null)
            return null;
        var changes = await ChangesOfAsync(document, intent, cancellation).ConfigureAwait(false);
        return new PushTrail(key, intent, changes);
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
    /// A page of the pushes that carried a record: of each document those tried in vain, and the first that Stripe took or
    /// the one under way. None if no push has it yet.
    /// </summary>
    /// <param name="record">What is looked for.</param>
    /// <param name="place">Where the page begins.</param>
    /// <param name="limit">Pushes of the page.</param>
    /// <param name="cancellation">Ends the search.</param>
    public async Task<CarryingPage> PushesOfAsync(CarriedRecord record, CarryingCursor place, int limit, CancellationToken cancellation)
    {
        var found = new List<PushTrail>();
        var left = PageIntents * PagesOfAnswer;
        while (left > 0 && found.Count < limit)
        {
            var query = new DeltaQuery { Metric = record.Metric, Customer = record.Customer, From = place.Document, Limit = 2 };
            var documents = await tenant.Deltas.ListAsync(query, cancellation).ConfigureAwait(false);
            if (documents.Count == 0)
                return new CarryingPage(found, null);
            if (documents[0].Key != place.Document)
                place = new CarryingCursor(documents[0].Key, 0, 0);
            var (intents, next) = await CarryingAsync(documents[0], record, place, limit - found.Count, cancellation).ConfigureAwait(false);
            foreach (var intent in intents)
                found.Add(new PushTrail(documents[0].Key, intent, await ChangesOfAsync(documents[0], intent, cancellation).ConfigureAwait(false)));
            left -= PageIntents;
            if (next is null && documents.Count < 2)
                return new CarryingPage(found, null);
            place = next ?? new CarryingCursor(documents[1].Key, 0, 0);
        }

        return new CarryingPage(found, place);
    }

    /// <summary>Those among the next entries of a document's history; without a cursor there are no more.</summary>
    private async Task<(IReadOnlyList<PushIntent> Found, CarryingCursor? Next)> CarryingAsync(
        DeltaDocument document, CarriedRecord record, CarryingCursor place, int limit, CancellationToken cancellation)
    {
        var found = new List<PushIntent>();
        var page = await tenant.Deltas.HistoryAsync(document.Key, place.Closing, PageIntents, cancellation).ConfigureAwait(false);
        foreach (var closed in page)
        {
            // One that was closed before is looked at where it was closed first, which is in the order of the numbers.
            var isFirst = closed.Number > place.Number;
            place = place with { Closing = closed.Closing, Number = Math.Max(closed.Number, place.Number) };
            if (!isFirst || !Carries(closed))
                continue;
            var intent = await tenant.Deltas.FindClosedAsync(closed.Identifier, cancellation).ConfigureAwait(false) ?? closed;
            found.Add(intent);
            if (IsTaken(intent))
                return (found, null);
            if (found.Count == limit)
                return (found, place);
        }

        if (page.Count == PageIntents)
            return (found, place);
        if (document.Open is { } open && Carries(open))
            found.Add(open);
        return (found, null);

        bool Carries(PushIntent intent) => intent.Period.Contains(record.At)
            && intent.Basis.Find(record.Metric, record.Customer)?.Version.Position >= record.Position;
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
            foreach (var earlier in page.Reverse().Where(other => other.Period.Overlaps(intent.Period) && other.Number < intent.Number))
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
        IsTaken(await tenant.Deltas.FindClosedAsync(intent.Identifier, cancellation).ConfigureAwait(false) ?? intent);

    private static bool IsTaken(PushIntent intent) => intent.State is IntentState.Accepted or IntentState.Confirmed;

    /// <summary>A late event is told by its approval.</summary>
    private static bool Tells(LedgerRecord record) => record.Kind is RecordKind.AdjustmentApproved or RecordKind.LateEventApproved
        || (record.Kind == RecordKind.Event && !record.Late);
}
