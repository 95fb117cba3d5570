using StripeMeter.Sqlite;

namespace StripeMeter.StripeDouble.MeterEventStreams;

internal static class StreamSessionTable
{
    /// <summary>How long an expired session is remembered, so that its token is told from one that never was.</summary>
    private const long MemoryMs = 24 * 60 * 60 * 1_000;

    private const string Select = "SELECT id, token, created_ms, expires_ms, events FROM stream_sessions";

    public static void Add(SqliteSession session, StreamSession added)
    {
        using var forget = session.Prepare("DELETE FROM stream_sessions WHERE expires_ms < ?1");
        forget.Bind(1, added.Created.ToUnixTimeMilliseconds() - MemoryMs).Run();
        using var insert = session.Prepare("INSERT INTO stream_sessions (id, token, created_ms, expires_ms) VALUES (?1, ?2, ?3, ?4)");
        insert.Bind(1, added.Id).Bind(2, added.Token).Bind(3, added.Created.ToUnixTimeMilliseconds())
            .Bind(4, added.Expires.ToUnixTimeMilliseconds()).Run();
    }

    /// <summary>Notes that events came by a session.</summary>
    public static void Used(SqliteSession session, string token, int events)
    {
        using var update = session.Prepare("UPDATE stream_sessions SET events = events + ?2 WHERE token = ?1");
        update.Bind(1, token).Bind(2, events).Run();
    }

    public static StreamSession? Find(SqliteSession session, string token)
    {
        using var query = session.Prepare($"{Select} WHERE token = ?1");
        return Rows(query.Bind(1, token)).SingleOrDefault();
    }

    /// <summary>The newest, newest first.</summary>
    public static IReadOnlyList<StreamSession> Newest(SqliteSession session, int limit)
    {
        using var query = session.Prepare($"{Select} ORDER BY number DESC LIMIT ?1");
        return Rows(query.Bind(1, limit));
    }

    private static List<StreamSession> Rows(SqliteStatement query)
    {
        var sessions = new List<StreamSession>();
        while (query.Step())
        {
            sessions.Add(new(
                query.Text(0), query.Text(1), DateTimeOffset.FromUnixTimeMilliseconds(query.Number(2)),
                DateTimeOffset.FromUnixTimeMilliseconds(query.Number(3)), query.Number(4)));
        }

        return sessions;
    }
}
