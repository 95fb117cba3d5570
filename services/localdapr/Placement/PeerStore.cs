using System.Collections.Frozen;
using StripeMeter.Sqlite;

namespace StripeMeter.LocalDapr.Placement;

/// <summary>The sidecars of the group, in its file.</summary>
internal sealed class PeerStore(SqliteFile file)
{
    private const char Separator = '\n';

    /// <summary>Writes a sidecar's entry; an older one for the same app and port is the same sidecar before a restart.</summary>
    public Task SaveAsync(Peer peer, int appPort) => file.WriteAsync(SqliteDurability.Process, session =>
    {
        using (var delete = session.Prepare("DELETE FROM sidecars WHERE app_id = ?1 AND app_port = ?2 AND instance <> ?3"))
            delete.Bind(1, peer.AppId).Bind(2, appPort).Bind(3, peer.Instance).Run();
        using var upsert = session.Prepare(
            """
            INSERT OR REPLACE INTO sidecars (instance, app_id, app_port, address, token, started_at, seen_at, actor_types, memory_topics)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
            """);
        upsert.Bind(1, peer.Instance).Bind(2, peer.AppId).Bind(3, appPort).Bind(4, peer.Address).Bind(5, peer.Token)
            .Bind(6, peer.StartedAt.ToUnixTimeMilliseconds()).Bind(7, peer.SeenAt.ToUnixTimeMilliseconds())
            .Bind(8, string.Join(Separator, peer.ActorTypes)).Bind(9, string.Join(Separator, peer.MemoryTopics)).Run();
    });

    public Task DeleteAsync(string instance) => file.WriteAsync(SqliteDurability.Process, session =>
    {
        using var delete = session.Prepare("DELETE FROM sidecars WHERE instance = ?1");
        delete.Bind(1, instance).Run();
    });

    /// <summary>The sidecars that gave a sign of life at or after an instant.</summary>
    public IReadOnlyList<Peer> SeenSince(DateTimeOffset instant) => file.Read(instant, static (session, instant) =>
    {
        using var select = session.Prepare("SELECT instance, app_id, address, token, started_at, seen_at, actor_types, memory_topics FROM sidecars WHERE seen_at >= ?1 ORDER BY started_at, instance");
        select.Bind(1, instant.ToUnixTimeMilliseconds());
        var found = new List<Peer>();
        while (select.Step())
            found.Add(Read(select));
        return found;
    });

    private static Peer Read(SqliteStatement row) => new()
    {
        Instance = row.Text(0),
        AppId = row.Text(1),
        Address = row.Text(2),
        Token = row.Text(3),
        StartedAt = DateTimeOffset.FromUnixTimeMilliseconds(row.Number(4)),
        SeenAt = DateTimeOffset.FromUnixTimeMilliseconds(row.Number(5)),
        ActorTypes = Split(row.Text(6)),
        MemoryTopics = Split(row.Text(7)),
    };

    private static FrozenSet<string> Split(string list) =>
        list.Split(Separator, StringSplitOptions.RemoveEmptyEntries).ToFrozenSet(StringComparer.Ordinal);
}
