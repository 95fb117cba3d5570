using StripeMeter.Sqlite;

namespace StripeMeter.StripeDouble.Notices;

internal static class NoticeTable
{
    private const string Columns = "n.number, n.id, n.type, n.is_thin, n.body, n.attempts";
    private const string IsTaken = "EXISTS (SELECT 1 FROM deliveries d WHERE d.notice = n.number AND d.status BETWEEN 200 AND 299)";

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
    /// <param name="delivery">How it went.</param>
    /// <param name="nextMs">When it is to be sent again; null if it was taken, or is given up.</param>
    public static void Sent(SqliteSession session, Notice notice, Delivery delivery, long? nextMs)
    {
        using var insert = session.Prepare("INSERT INTO deliveries (notice, sent_ms, status) VALUES (?1, ?2, ?3)");
        insert.Bind(1, notice.Number).Bind(2, delivery.SentMs).Bind(3, (long?)delivery.Status).Run();
        using var update = session.Prepare("UPDATE notices SET attempts = attempts + 1, next_ms = ?2 WHERE number = ?1");
        update.Bind(1, notice.Number).Bind(2, nextMs).Run();
    }

    /// <summary>Those that are to be sent by now.</summary>
    public static IReadOnlyList<Notice> Due(SqliteSession session, long nowMs, int limit)
    {
        using var query = session.Prepare(
            $"SELECT {Columns} FROM notices n WHERE n.next_ms IS NOT NULL AND n.next_ms <= ?1 ORDER BY n.number LIMIT ?2");
        return Rows(query.Bind(1, nowMs).Bind(2, limit));
    }

    public static Notice? Find(SqliteSession session, string id)
    {
        using var query = session.Prepare($"SELECT {Columns} FROM notices n WHERE n.id = ?1");
        return Rows(query.Bind(1, id)).SingleOrDefault();
    }

    /// <summary>When the newest of a type that was sent and not taken came about, in seconds; null if there is none.</summary>
    public static long? NewestFailedSeconds(SqliteSession session, string type)
    {
        using var query = session.Prepare(
            $"SELECT max(json_extract(n.body, '$.created')) FROM notices n WHERE n.type = ?1 AND n.attempts > 0 AND NOT {IsTaken}");
        query.Bind(1, type).Step();
        return query.IsNull(0) ? null : query.Number(0);
    }

    /// <summary>When one of a type was taken last, in milliseconds; 0 if none was.</summary>
    public static long LastTakenMs(SqliteSession session, string type)
    {
        using var query = session.Prepare(
            """
            SELECT coalesce(max(d.sent_ms), 0) FROM notices n JOIN deliveries d ON d.notice = n.number
            WHERE n.type = ?1 AND d.status BETWEEN 200 AND 299
            """);
        query.Bind(1, type).Step();
        return query.Number(0);
    }

    /// <summary>The newest, newest first, with what became of them.</summary>
    public static IReadOnlyList<(Notice Notice, DeliveryState State, Delivery? Last)> Newest(SqliteSession session, int limit)
    {
        using var query = session.Prepare(
            $"""
            SELECT {Columns}, n.next_ms IS NOT NULL, {IsTaken}, l.sent_ms, l.status FROM notices n
            LEFT JOIN deliveries l ON l.number = (SELECT max(number) FROM deliveries WHERE notice = n.number)
            ORDER BY n.number DESC LIMIT ?1
            """);
        query.Bind(1, limit);
        var notices = new List<(Notice, DeliveryState, Delivery?)>();
        while (query.Step())
        {
            var notice = Read(query);
            var last = query.IsNull(8) ? (Delivery?)null : new Delivery(query.Number(8), query.IsNull(9) ? null : query.SmallNumber(9));
            notices.Add((notice, StateOf(notice, isWaiting: query.Flag(6), isTaken: query.Flag(7)), last));
        }

        return notices;
    }

    private static DeliveryState StateOf(Notice notice, bool isWaiting, bool isTaken) => (isTaken, isWaiting, notice.Attempts) switch
    {
        (true, _, _) => DeliveryState.Taken,
        (_, true, 0) => DeliveryState.Waiting,
        (_, true, _) => DeliveryState.Failing,
        (_, false, 0) => DeliveryState.Unheard,
        _ => DeliveryState.GivenUp,
    };

    private static List<Notice> Rows(SqliteStatement query)
    {
        var notices = new List<Notice>();
        while (query.Step())
            notices.Add(Read(query));
        return notices;
    }

    private static Notice Read(SqliteStatement row) =>
        new(row.Number(0), row.Text(1), row.Text(2), row.Flag(3), row.Text(4), row.SmallNumber(5));
}
