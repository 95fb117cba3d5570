using StripeMeter.Sqlite;

namespace StripeMeter.StripeDouble.Notices;

internal static class NoticeTable
{
    private const string Columns = "number, id, type, is_thin, body, attempts";

    /// <param name="session">The transaction.</param>
    /// <param name="notice">The event.</param>
    /// <param name="nextMs">When it is to be sent; null if nobody listens, as events are not delivered to who comes later.</param>
    public static void Add(SqliteSession session, Notice notice, long? nextMs)
    {
        using var insert = session.Prepare(
            "INSERT INTO notices (id, type, is_thin, body, attempts, next_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
        insert.Bind(1, notice.Id).Bind(2, notice.Type).Bind(3, notice.IsThin).Bind(4, notice.Body).Bind(5, notice.Attempts)
            .Bind(6, nextMs).Run();
    }

    /// <summary>Enters an attempt to send it.</summary>
    /// <param name="session">The transaction.</param>
    /// <param name="notice">The event.</param>
    /// <param name="nextMs">When it is to be sent again; null if it was taken, or is given up.</param>
    public static void Sent(SqliteSession session, Notice notice, long? nextMs)
    {
        using var update = session.Prepare("UPDATE notices SET attempts = ?2, next_ms = ?3 WHERE number = ?1");
        update.Bind(1, notice.Number).Bind(2, notice.Attempts + 1).Bind(3, nextMs).Run();
    }

    /// <summary>Those that are to be sent by now.</summary>
    public static IReadOnlyList<Notice> Due(SqliteSession session, long nowMs, int limit)
    {
        using var query = session.Prepare(
            $"SELECT {Columns} FROM notices WHERE next_ms IS NOT NULL AND next_ms <= ?1 ORDER BY number LIMIT ?2");
        return Rows(query.Bind(1, nowMs).Bind(2, limit));
    }

    public static Notice? Find(SqliteSession session, string id)
    {
        using var query = session.Prepare($"SELECT {Columns} FROM notices WHERE id = ?1");
        return Rows(query.Bind(1, id)).SingleOrDefault();
    }

    /// <summary>The newest, newest first.</summary>
    public static IReadOnlyList<Notice> Newest(SqliteSession session, int limit)
    {
        using var query = session.Prepare($"SELECT {Columns} FROM notices ORDER BY number DESC LIMIT ?1");
        return Rows(query.Bind(1, limit));
    }

    private static List<Notice> Rows(SqliteStatement query)
    {
        var notices = new List<Notice>();
        while (query.Step())
            notices.Add(new(query.Number(0), query.Text(1), query.Text(2), query.Flag(3), query.Text(4), query.SmallNumber(5)));
        return notices;
    }
}
