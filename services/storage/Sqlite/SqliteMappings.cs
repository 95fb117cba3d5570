using System.Text.Json;
using StripeMeter.Metering.Mappings;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.Sqlite;

namespace StripeMeter.Storage.Sqlite;

/// <summary>The mappings of one tenant in SQLite.</summary>
internal sealed class SqliteMappings(StoreFile file, TenantId tenant) : IMappings
{
    public const string Schema =
        """
        CREATE TABLE IF NOT EXISTS mappings (
            tenant TEXT NOT NULL, id TEXT NOT NULL, metric TEXT NOT NULL, account TEXT NOT NULL, meter TEXT NOT NULL,
            active INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (tenant, id)) WITHOUT ROWID;
        CREATE UNIQUE INDEX IF NOT EXISTS mappings_by_metric ON mappings (tenant, metric) WHERE active = 1;
        CREATE UNIQUE INDEX IF NOT EXISTS mappings_by_meter ON mappings (account, meter) WHERE active = 1;
        """;

    public Task<Mapping?> GetAsync(string id, CancellationToken cancellation) => file.ReadAsync(
        session => Find(session, id), cancellation);

    public Task<IReadOnlyList<Mapping>> ListAsync(
        string? metric, bool? active, string? afterId, int limit, CancellationToken cancellation) =>
        file.ReadAsync<IReadOnlyList<Mapping>>(
            session =>
            {
                using var query = session.Prepare(
                    """
                    SELECT body FROM mappings WHERE tenant = ?1 AND id > ?2 AND (?3 IS NULL OR metric = ?3)
                        AND (?4 IS NULL OR active = ?4) ORDER BY id LIMIT ?5
                    """);
                query.Bind(1, tenant.Value).Bind(2, afterId ?? "").Bind(3, metric).Bind(5, limit);
                if (active is { } wanted)
                    query.Bind(4, wanted);
                var mappings = new List<Mapping>();
                while (query.Step())
                    mappings.Add(ReadBody(query));
                return mappings;
            },
            cancellation);

    public async Task<MappingWrite> CreateAsync(Mapping mapping, CancellationToken cancellation)
    {
        var written = await file.WriteAsync<MappingWrite?>(
            session => Find(session, mapping.Id) is null ? PutUnlessClash(session, mapping) : null, cancellation).ConfigureAwait(false);
        return written ?? throw new InvalidOperationException($"There is a mapping {mapping.Id} already.");
    }

    public Task<MappingWrite> UpdateAsync(Mapping mapping, Instant? standing, CancellationToken cancellation) => file.WriteAsync(
        session => Find(session, mapping.Id) switch
        {
            null => MappingWrite.NotFound,
            var stored when standing is not null && stored.Updated != standing => MappingWrite.Changed,
            _ => PutUnlessClash(session, mapping),
        },
        cancellation);

    public Task<bool> DeleteAsync(string id, CancellationToken cancellation) =>
        file.WriteAsync(session => Delete(session, id), cancellation);

    private MappingWrite PutUnlessClash(SqliteSession session, Mapping mapping)
    {
        if (FindClash(session, mapping) is { } clash)
            return clash;
        Put(session, mapping);
        return MappingWrite.Done;
    }

    private MappingWrite? FindClash(SqliteSession session, Mapping mapping)
    {
        if (!mapping.Active)
            return null;
        using var byMetric = session.Prepare("SELECT 1 FROM mappings WHERE tenant = ?1 AND metric = ?2 AND active = 1 AND id <> ?3");
        if (byMetric.Bind(1, tenant.Value).Bind(2, mapping.Metric).Bind(3, mapping.Id).Step())
            return MappingWrite.MetricTaken;
        using var byMeter = session.Prepare(
            "SELECT 1 FROM mappings WHERE account = ?1 AND meter = ?2 AND active = 1 AND NOT (tenant = ?3 AND id = ?4)");
        byMeter.Bind(1, mapping.StripeAccount).Bind(2, mapping.MeterId).Bind(3, tenant.Value).Bind(4, mapping.Id);
        return byMeter.Step() ? MappingWrite.MeterTaken : null;
    }

    private void Put(SqliteSession session, Mapping mapping)
    {
        using var upsert = session.Prepare(
            """
            INSERT INTO mappings (tenant, id, metric, account, meter, active, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            ON CONFLICT (tenant, id) DO UPDATE SET metric = excluded.metric, account = excluded.account,
                meter = excluded.meter, active = excluded.active, body = excluded.body
            """);
        upsert.Bind(1, tenant.Value).Bind(2, mapping.Id).Bind(3, mapping.Metric).Bind(4, mapping.StripeAccount)
            .Bind(5, mapping.MeterId).Bind(6, mapping.Active).Bind(7, JsonSerializer.Serialize(mapping)).Run();
    }

    private Mapping? Find(SqliteSession session, string id)
    {
        using var query = session.Prepare("SELECT body FROM mappings WHERE tenant = ?1 AND id = ?2");
        return query.Bind(1, tenant.Value).Bind(2, id).Step() ? ReadBody(query) : null;
    }

    private bool Delete(SqliteSession session, string id)
    {
        using var delete = session.Prepare("DELETE FROM mappings WHERE tenant = ?1 AND id = ?2");
        delete.Bind(1, tenant.Value).Bind(2, id).Run();
        return session.Changes == 1;
    }

    private static Mapping ReadBody(in SqliteStatement row) => JsonSerializer.Deserialize<Mapping>(row.Text(0))
        ?? throw new InvalidDataException("A stored mapping is empty.");
}
