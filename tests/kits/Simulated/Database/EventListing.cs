using StripeMeter.Metering.Text;
using StripeMeter.Metering.Ledger;

namespace StripeMeter.Kits.Simulated.Database;

/// <summary>Lists events by sorting all there are.</summary>
internal static class EventListing
{
    public static IEnumerable<LedgerEntry> Of(IEnumerable<PlacedRecord> records, EventQuery query)
    {
        var sorted = records.Where(placed => placed.Position <= query.UpTo && Keeps(query, placed.Record))
            .Select(placed => new LedgerEntry(placed.Shard, placed.Position, placed.Record)).ToList();
        var direction = query.Ascending ? 1 : -1;
        sorted.Sort((left, right) => direction * Compare(EventCursor.Of(left, query.Order), EventCursor.Of(right, query.Order)));
        return sorted
            .SkipWhile(entry => query.After is { } after && direction * Compare(EventCursor.Of(entry, query.Order), after) <= 0)
            .Skip(query.Offset).Take(query.Limit);
    }

    public static IEnumerable<EventSeries> SeriesOf(IEnumerable<PlacedRecord> records, SeriesQuery query) => records
        .Where(placed => placed.Record.Metric.Length > 0 && (query.Shard is null || query.Shard == placed.Shard))
        .Where(placed => query.Session is null || query.Session == placed.Record.Session)
        .Select(placed => new EventSeries(placed.Record.Customer, placed.Record.Metric)).Distinct()
        .Where(series => query.Customer is null || query.Customer == series.Customer)
        .Where(series => query.After is not { } after || Compare(series, after) > 0)
        .Order(Comparer<EventSeries>.Create((left, right) => Compare(left, (right.Customer, right.Metric)))).Take(query.Limit);

    private static int Compare(EventSeries series, (string Customer, string Metric) other)
    {
        var order = CodePointOrder.Instance.Compare(series.Customer, other.Customer);
        return order != 0 ? order : CodePointOrder.Instance.Compare(series.Metric, other.Metric);
    }

    private static bool Keeps(EventQuery query, LedgerRecord record)
    {
        return (record.Event is not null || (query.Controls && record.Customer.Length > 0))
            && (query.Metric is null || query.Metric == record.Metric)
            && (query.Customer is null || query.Customer == record.Customer)
            && (query.Source is null || query.Source == record.Event?.Source)
            && (query.Late is null || query.Late == record.Late)
            && (query.Session is null || query.Session == record.Session)
            && record.Timestamp >= query.From && record.Timestamp <= query.To;
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
