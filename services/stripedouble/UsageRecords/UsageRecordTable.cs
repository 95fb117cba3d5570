using StripeMeter.Sqlite;

namespace StripeMeter.StripeDouble.UsageRecords;

internal static class UsageRecordTable
{
    /// <summary>Sets, or adds to, what an item has at a timestamp.</summary>
    public static void Add(SqliteSession session, string item, long timestampSeconds, long quantity, bool overwrites)
    {
        using var insert = session.Prepare(
            "INSERT INTO usage_records (item, timestamp_s, quantity) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET quantity = "
            + (overwrites ? "excluded.quantity" : "quantity + excluded.quantity"));
        insert.Bind(1, item).Bind(2, timestampSeconds).Bind(3, quantity).Run();
    }

    /// <summary>The sum in [start, end).</summary>
    public static long Total(SqliteSession session, string item, long startSeconds, long endSeconds)
    {
        using var query = session.Prepare(
            "SELECT coalesce(sum(quantity), 0) FROM usage_records WHERE item = ?1 AND timestamp_s >= ?2 AND timestamp_s < ?3");
        query.Bind(1, item).Bind(2, startSeconds).Bind(3, endSeconds);
        query.Step();
        return query.Number(0);
    }
}
