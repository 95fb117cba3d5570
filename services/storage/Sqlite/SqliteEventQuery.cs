using System.Globalization;
using System.Text;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;
using StripeMeter.Sqlite;

namespace StripeMeter.Storage.Sqlite;

/// <summary>Writes an <see cref="EventQuery"/> as SQL. The text depends only on which filters are set, so statements are shared.</summary>
internal static class SqliteEventQuery
{
    private const string Columns =
        "r.shard_id, r.position, r.key, r.fingerprint, r.received, r.late, s.metric, s.customer, r.resource, r.quantity, r.timestamp, r.meta, r.source";

    public static List<LedgerEntry> Run(SqliteSession session, long tenantId, EventQuery query)
    {
        var direction = query.Ascending ? "ASC" : "DESC";
        var order = string.Join(", ", OrderColumns(query.Order).Select(column => $"{column} {direction}"));
        var sql = $"SELECT {Columns} {From(query, withCursor: true)} ORDER BY {order} LIMIT ?20 OFFSET ?21";
        using var statement = session.Prepare(sql);
        Bind(statement, tenantId, query, withCursor: true);
        statement.Bind(20, query.Limit).Bind(21, query.Offset);
        var entries = new List<LedgerEntry>();
        while (statement.Step())
            entries.Add(Read(statement));
        return entries;
    }

    public static long Count(SqliteSession session, long tenantId, EventQuery query)
    {
        using var statement = session.Prepare($"SELECT count(*) {From(query, withCursor: false)}");
        Bind(statement, tenantId, query, withCursor: false);
        statement.Step();
        return statement.Number(0);
    }

    private static string[] OrderColumns(EventOrder order) => order switch
    {
        EventOrder.Metric => ["s.metric", "r.timestamp", "r.shard_id", "r.position"],
        EventOrder.Customer => ["s.customer", "r.timestamp", "r.shard_id", "r.position"],
        EventOrder.Source => ["r.source", "r.timestamp", "r.shard_id", "r.position"],
        _ => ["r.timestamp", "r.shard_id", "r.position"],
    };

    private static string From(EventQuery query, bool withCursor)
    {
        // A few series are read by their index; a whole tenant by time. CROSS JOIN keeps SQLite from turning that round.
        var bySeries = query.Customer is not null;
        var sql = new StringBuilder(bySeries
            ? "FROM series s CROSS JOIN records r ON r.series_id = s.id WHERE s.tenant_id = ?1"
            : $"FROM records r INDEXED BY records_by_time CROSS JOIN series s ON s.id = r.series_id WHERE r.shard_id / {LedgerSchema.ShardStride} = ?1");
        sql.Append(" AND r.series_id IS NOT NULL AND r.timestamp BETWEEN ?2 AND ?3");
        if (query.Metric is not null)
            sql.Append(" AND s.metric = ?4");
        if (query.Customer is not null)
            sql.Append(" AND s.customer = ?5");
        if (query.Source is not null)
            sql.Append(" AND r.source = ?6");
        if (query.Late is not null)
            sql.Append(" AND r.late = ?7");
        if (withCursor && query.After is not null)
        {
            var columns = OrderColumns(query.Order);
            var parameters = columns.Length == 4 ? "?10, ?11, ?12, ?13" : "?11, ?12, ?13";
            sql.Append(CultureInfo.InvariantCulture, $" AND ({string.Join(", ", columns)}) {(query.Ascending ? '>' : '<')} ({parameters})");
        }

        return sql.ToString();
    }

    private static void Bind(in SqliteStatement statement, long tenantId, EventQuery query, bool withCursor)
    {
        statement.Bind(1, tenantId).Bind(2, query.From.Ticks).Bind(3, query.To.Ticks);
        if (query.Metric is not null)
            statement.Bind(4, query.Metric);
        if (query.Customer is not null)
            statement.Bind(5, query.Customer);
        if (query.Source is { } source)
            statement.Bind(6, (long)source);
        if (query.Late is { } late)
            statement.Bind(7, late);
        if (!withCursor || query.After is not { } after)
            return;
        if (query.Order is EventOrder.Source)
            statement.Bind(10, long.Parse(after.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture));
        else if (query.Order is not EventOrder.Timestamp)
            statement.Bind(10, after.Value);
        statement.Bind(11, after.Timestamp.Ticks).Bind(12, (tenantId * LedgerSchema.ShardStride) + after.Shard).Bind(13, after.Position);
    }

    private static LedgerEntry Read(in SqliteStatement row)
    {
        var usage = new UsageEvent(
            row.Text(6), row.Text(7), row.IsNull(8) ? "" : row.Text(8), Quantity.FromBytes(row.Blob(9)), new Instant(row.Number(10)),
            row.IsNull(11) ? "" : row.Text(11), (EventSource)row.SmallNumber(12));
        var record = LedgerRecord.OfEvent(
            row.Text(2), Fingerprint.FromBytes(row.Blob(3)), usage, new Instant(row.Number(4)), row.Flag(5));
        return new LedgerEntry((int)(row.Number(0) % LedgerSchema.ShardStride), row.Number(1), record);
    }
}
