using System.Globalization;
using System.Text;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;
using StripeMeter.Sqlite;
using StripeMeter.Storage.Documents;

namespace StripeMeter.Storage.Sqlite;

/// <summary>
/// Writes an <see cref="EventQuery"/> as SQL. A customer is read through the entries of its series, and the tail of its
/// shard; a whole tenant by time. The text depends only on which filters are set, so statements are shared.
/// </summary>
internal static class SqliteEventQuery
{
    private const string Columns =
        """
        r.shard_id AS shard_id, r.position AS position, r.key AS key, r.fingerprint AS fingerprint, r.received AS received,
        r.late AS late, s.metric AS metric, s.customer AS customer, r.resource AS resource, r.quantity AS quantity,
        r.timestamp AS timestamp, r.meta AS meta, r.source AS source, r.kind AS kind, r.session AS session, r.control AS control,
        r.space AS space
        """;

    // CROSS JOIN keeps SQLite from turning the order of the tables round.
    private const string Entered =
        """
        FROM series s CROSS JOIN series_entries e ON e.series_id = s.id
            CROSS JOIN records r ON r.shard_id = e.shard_id AND r.position = e.position
        WHERE s.tenant_id = ?1
        """;

    private const string Tail =
        """
        FROM records r CROSS JOIN series s ON s.id = r.series_id
        WHERE ?1 IS NOT NULL AND r.shard_id = ?8 AND r.position > ifnull((SELECT entered FROM shards WHERE id = ?8), 0)
        """;

    private const string ByTime =
        $"""
        FROM records r INDEXED BY records_by_time CROSS JOIN series s ON s.id = r.series_id
        WHERE r.shard_id / {LedgerSchema.StrideText} = ?1 AND r.series_id IS NOT NULL
        """;

    private const string BySession =
        $"""
        FROM records r INDEXED BY records_by_session CROSS JOIN series s ON s.id = r.series_id
        WHERE r.shard_id / {LedgerSchema.StrideText} = ?1 AND r.session IS NOT NULL
        """;

    public static List<LedgerEntry> Run(SqliteSession session, TenantIdentity identity, EventQuery whole)
    {
        var query = whole.FromCursor();
        var sql = IsWhole(query)
            ? $"{Select(Whole(query), "r", query)} ORDER BY {Order(query, "r")} LIMIT ?20 OFFSET ?21"
            : $"""
              SELECT * FROM (
                  SELECT * FROM ({Select(Entered, "e", query)} ORDER BY {Order(query, "e")} LIMIT ?20 + ?21)
                  UNION ALL
                  SELECT * FROM ({Select(Tail, "r", query)} ORDER BY {Order(query, "r")} LIMIT ?20 + ?21))
              ORDER BY {Order(query, null)} LIMIT ?20 OFFSET ?21
              """;
        using var statement = session.Prepare(sql);
        Bind(statement, identity, query);
        BindCursor(statement, identity, query);
        statement.Bind(20, query.Limit).Bind(21, query.Offset);
        var entries = new List<LedgerEntry>();
        while (statement.Step())
            entries.Add(Read(statement, identity));
        return entries;
    }

    public static long Count(SqliteSession session, TenantIdentity identity, EventQuery query)
    {
        var all = query with { After = null };
        var sql = IsWhole(query)
            ? $"SELECT count(*) {Whole(query)}{Filters("r", all)}"
            : $"SELECT (SELECT count(*) {Entered}{Filters("e", all)}) + (SELECT count(*) {Tail}{Filters("r", all)})";
        using var statement = session.Prepare(sql);
        Bind(statement, identity, query);
        statement.Step();
        return statement.Number(0);
    }

    /// <summary>The record that stands on a position.</summary>
    public static LedgerEntry Get(SqliteSession session, TenantIdentity identity, int shard, long position)
    {
        using var statement = session.Prepare(
            $"SELECT {Columns} FROM records r LEFT JOIN series s ON s.id = r.series_id WHERE r.shard_id = ?1 AND r.position = ?2");
        statement.Bind(1, identity.ShardId(shard)).Bind(2, position).Step();
        return Read(statement, identity);
    }

    /// <summary>Whether it does not go through the entries of a customer's series. Few records have a session.</summary>
    private static bool IsWhole(EventQuery query) => query.Customer is null || query.Session is not null;

    /// <summary>Where a whole tenant or session is read.</summary>
    private static string Whole(EventQuery query) => query.Session is null ? ByTime : BySession;

    private static string Select(string from, string place, EventQuery query) =>
        $"SELECT {Columns} {from}{Filters(place, query)}";

    /// <summary>The columns to sort by; <paramref name="place"/> is the table that is read in that order, if there is one.</summary>
    private static string[] OrderColumns(EventOrder order, string? place)
    {
        var at = place is null ? "" : place + ".";
        var (series, record) = place is null ? ("", "") : ("s.", "r.");
        string[] placed = [$"{at}timestamp", $"{at}shard_id", $"{at}position"];
        return order switch
        {
            EventOrder.Metric => [$"{series}metric", .. placed],
            EventOrder.Customer => [$"{series}customer", .. placed],
            EventOrder.Source => [$"{record}source", .. placed],
            _ => placed,
        };
    }

    private static string Order(EventQuery query, string? place) => string.Join(
        ", ", OrderColumns(query.Order, place).Select(column => $"{column} {(query.Ascending ? "ASC" : "DESC")}"));

    private static string Filters(string place, EventQuery query)
    {
        var sql = new StringBuilder($" AND {place}.timestamp BETWEEN ?2 AND ?3");
        if (query.Metric is not null)
            sql.Append(" AND s.metric = ?4");
        if (query.Customer is not null)
            sql.Append(" AND s.customer = ?5");
        if (query.Source is not null)
            sql.Append(" AND r.source = ?6");
        if (query.Late is not null)
            sql.Append(" AND r.late = ?7");
        if (query.Session is not null)
            sql.Append(" AND r.session = ?9");
        if (!query.Controls)
            sql.Append(CultureInfo.InvariantCulture, $" AND r.kind = {(int)RecordKind.Event}");
        if (query.UpTo < long.MaxValue)
            sql.Append(CultureInfo.InvariantCulture, $" AND {place}.position <= ?14");
        if (query.After is null)
            return sql.ToString();
        var columns = OrderColumns(query.Order, place);
        var parameters = columns.Length == 4 ? "?10, ?11, ?12, ?13" : "?11, ?12, ?13";
        return sql.Append(
            CultureInfo.InvariantCulture, $" AND ({string.Join(", ", columns)}) {(query.Ascending ? '>' : '<')} ({parameters})").ToString();
    }

    private static void Bind(in SqliteStatement statement, TenantIdentity identity, EventQuery query)
    {
        statement.Bind(1, identity.Id).Bind(2, query.From.Ticks).Bind(3, query.To.Ticks);
        if (query.Metric is not null)
            statement.Bind(4, query.Metric);
        if (query.Customer is not null)
            statement.Bind(5, query.Customer).Bind(8, identity.ShardId(Shards.Of(query.Customer, identity.ShardCount)));
        if (query.Source is { } source)
            statement.Bind(6, (long)source);
        if (query.Late is { } late)
            statement.Bind(7, late);
        if (query.Session is not null)
            statement.Bind(9, query.Session);
        if (query.UpTo < long.MaxValue)
            statement.Bind(14, query.UpTo);
    }

    private static void BindCursor(in SqliteStatement statement, TenantIdentity identity, EventQuery query)
    {
        if (query.After is not { } after)
            return;
        if (query.Order is EventOrder.Source)
            statement.Bind(10, long.Parse(after.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture));
        else if (query.Order is not EventOrder.Timestamp)
            statement.Bind(10, after.Value);
        statement.Bind(11, after.Timestamp.Ticks).Bind(12, identity.FirstShardId + after.Shard).Bind(13, after.Position);
    }

    private static LedgerEntry Read(in SqliteStatement row, TenantIdentity identity) =>
        new((int)(row.Number(0) - identity.FirstShardId), row.Number(1), ReadRecord(row));

    private static LedgerRecord ReadRecord(in SqliteStatement row)
    {
        var (kind, received) = ((RecordKind)row.SmallNumber(13), new Instant(row.Number(4)));
        if (kind != RecordKind.Event)
        {
            var control = row.IsNull(15) ? null : ControlJson.Read(row.Text(15));
            return new LedgerRecord((KeySpace)row.SmallNumber(16), row.Text(2), kind, default, null, received, false) { Control = control };
        }

        var usage = new UsageEvent(
            row.Text(6), row.Text(7), row.IsNull(8) ? "" : row.Text(8), Quantity.FromBytes(row.Blob(9)), new Instant(row.Number(10)),
            row.IsNull(11) ? "" : row.Text(11), (EventSource)row.SmallNumber(12));
        return LedgerRecord.OfEvent(
            row.Text(2), Fingerprint.FromBytes(row.Blob(3)), usage, received, row.Flag(5), row.IsNull(14) ? "" : row.Text(14));
    }
}
