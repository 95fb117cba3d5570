using StripeMeter.Metering.Ledger;
using StripeMeter.Sqlite;

namespace StripeMeter.Storage.Sqlite;

/// <summary>Writes a <see cref="SeriesQuery"/> as SQL.</summary>
internal static class SqliteSeriesQuery
{
    private const string All = "SELECT s.customer, s.metric FROM series s WHERE s.tenant_id = ?1 AND s.metric <> ''";

    /// <summary>By the index of those few records that have a session.</summary>
    private const string BySession =
        $"""
        SELECT DISTINCT s.customer, s.metric FROM records r INDEXED BY records_by_session CROSS JOIN series s ON s.id = r.series_id
        WHERE r.shard_id / {LedgerSchema.StrideText} = ?1 AND r.session = ?2
        """;

    public static List<EventSeries> Run(SqliteSession session, TenantIdentity identity, SeriesQuery query)
    {
        using var statement = session.Prepare(
            (query.Session is null ? All : BySession)
            + (query.Customer is null ? "" : " AND s.customer = ?3")
            + (query.After is null ? "" : " AND (s.customer, s.metric) > (?4, ?5)") + " ORDER BY s.customer, s.metric");
        statement.Bind(1, identity.Id);
        if (query.Session is not null)
            statement.Bind(2, query.Session);
        if (query.Customer is not null)
            statement.Bind(3, query.Customer);
        if (query.After is { } after)
            statement.Bind(4, after.Customer).Bind(5, after.Metric);
        var listed = new List<EventSeries>();
        while (listed.Count < query.Limit && statement.Step())
        {
            var series = new EventSeries(statement.Text(0), statement.Text(1));
            if (query.Shard is not { } shard || Shards.Of(series.Customer, identity.ShardCount) == shard)
                listed.Add(series);
        }

        return listed;
    }
}
