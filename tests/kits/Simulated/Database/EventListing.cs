using StripeMeter.Kits.Text;
using StripeMeter.Metering.Ledger;

namespace StripeMeter.Kits.Simulated.Database;

/// <summary>Lists events by sorting all there are.</summary>
internal static class EventListing
{
    public static IEnumerable<LedgerEntry> Of(IEnumerable<PlacedRecord> records, EventQuery query)
    {
        var sorted = records.Where(placed => placed.Record.Event is not null && Keeps(query, placed.Record))
            .Select(placed => new LedgerEntry(placed.Shard, placed.Position, placed.Record)).ToList();
        var direction = query.Ascending ? 1 : -1;
        sorted.Sort((left, right) => direction * Compare(EventCursor.Of(left, query.Order), EventCursor.Of(right, query.Order)));
        return sorted
            .SkipWhile(entry => query.After is { } after && direction * Compare(EventCursor.Of(entry, query.Order), after) <= 0)
            .Skip(query.Offset).Take(query.Limit);
    }

    private static bool Keeps(EventQuery query, LedgerRecord record)
    {
        var usage = record.Event!;
        return (query.Metric is null || query.Metric == usage.Metric)
            && (query.Customer is null || query.Customer == usage.Customer)
            && (query.Source is null || query.Source == usage.Source)
            && (query.Late is null || query.Late == record.Late)
            && usage.Timestamp >= query.From && usage.Timestamp <= query.To;
    }

    private static int Compare(EventCursor left, EventCursor right)
    {
        var order = CodePointOrder.Instance.Compare(left.Value, right.Value);
        if (order == 0)
            order = left.Timestamp.CompareTo(right.Timestamp);
        if (order == 0)
            order = left.Shard.CompareTo(right.Shard);
        return order != 0 ? order : left.Position.CompareTo(right.Position);
    }
}
