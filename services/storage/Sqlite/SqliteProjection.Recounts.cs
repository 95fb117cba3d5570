using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Time;
using StripeMeter.Sqlite;

namespace StripeMeter.Storage.Sqlite;

/// <content>What is to be counted anew: a row each, in the file of the counters, so that they fall back together.</content>
internal sealed partial class SqliteProjection
{
    public Task AddRecountsAsync(int shard, IReadOnlyCollection<RecountItem> items, CancellationToken cancellation) => file.WriteAsync(
        session =>
        {
            foreach (var item in items)
            {
                using var upsert = session.Prepare(
                    """
                    INSERT INTO recounts (tenant, shard, log_id, customer, metric, start, before, session, recut)
                    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                    ON CONFLICT DO UPDATE SET recut = max(recut, excluded.recut)
                    """);
                Bind(upsert, shard, item).Run();
            }
        },
        cancellation);

    public Task<IReadOnlyList<RecountItem>> RecountsAsync(int shard, int limit, CancellationToken cancellation) =>
        file.ReadAsync<IReadOnlyList<RecountItem>>(
            session =>
            {
                using var query = session.Prepare(
                    """
                    SELECT log_id, recut, customer, metric, start, before, session FROM recounts
                    WHERE tenant = ?1 AND shard = ?2 ORDER BY recut, customer, metric, start, before LIMIT ?3
                    """);
                query.Bind(1, tenant.Value).Bind(2, shard).Bind(3, limit);
                var items = new List<RecountItem>();
                while (query.Step())
                {
                    var scope = new RecountScope(
                        query.Text(2), query.Text(3), new Instant(query.Number(4)), new Instant(query.Number(5)), query.Text(6));
                    items.Add(new RecountItem(query.Text(0), query.Number(1), scope));
                }

                return items;
            },
            cancellation);

    public Task CloseRecountAsync(int shard, RecountItem item, CancellationToken cancellation) => file.WriteAsync(
        session =>
        {
            using var delete = session.Prepare(
                """
                DELETE FROM recounts WHERE tenant = ?1 AND shard = ?2 AND log_id = ?3 AND customer = ?4 AND metric = ?5
                    AND start = ?6 AND before = ?7 AND session = ?8 AND recut = ?9
                """);
            Bind(delete, shard, item).Run();
        },
        cancellation);

    private SqliteStatement Bind(in SqliteStatement statement, int shard, RecountItem item) => statement
        .Bind(1, tenant.Value).Bind(2, shard).Bind(3, item.LogId).Bind(4, item.Scope.Customer).Bind(5, item.Scope.Metric)
        .Bind(6, item.Scope.From.Ticks).Bind(7, item.Scope.To.Ticks).Bind(8, item.Scope.Session).Bind(9, item.Recut);
}
