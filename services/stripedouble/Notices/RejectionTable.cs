using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Meters;

namespace StripeMeter.StripeDouble.Notices;

/// <summary>A meter event that was answered 200 and does not count.</summary>
/// <param name="Number">Its place in the order of receipt.</param>
/// <param name="MeterId">Its meter; null if there is none of its event name.</param>
/// <param name="Identifier">Its identifier; empty if it came without one.</param>
/// <param name="Code">Why.</param>
/// <param name="ReceivedMs">When it came.</param>
internal sealed record Rejection(long Number, string? MeterId, string Identifier, string Code, long ReceivedMs);

/// <summary>Meter events that were answered 200 and do not count, reported or not.</summary>
internal static class RejectionTable
{
    private const string Select =
        "SELECT r.number, m.id, r.identifier, r.code, r.received_ms FROM rejected_events r LEFT JOIN meters m ON m.number = r.meter";

    public static void Add(SqliteSession session, Meter? meter, string identifier, string code, long receivedMs)
    {
        using var insert = session.Prepare("INSERT INTO rejected_events (meter, identifier, code, received_ms) VALUES (?1, ?2, ?3, ?4)");
        insert.Bind(1, meter?.Number).Bind(2, identifier).Bind(3, code).Bind(4, receivedMs).Run();
    }

    /// <summary>Those that came before a moment and nobody was told of yet, oldest first.</summary>
    public static IReadOnlyList<Rejection> Unreported(SqliteSession session, long beforeMs, int limit)
    {
        using var query = session.Prepare($"{Select} WHERE r.is_reported = 0 AND r.received_ms < ?1 ORDER BY r.received_ms, r.number LIMIT ?2");
        return Rows(query.Bind(1, beforeMs).Bind(2, limit));
    }

    public static void Reported(SqliteSession session, Rejection rejection)
    {
        using var update = session.Prepare("UPDATE rejected_events SET is_reported = 1 WHERE number = ?1");
        update.Bind(1, rejection.Number).Run();
    }

    /// <summary>The newest, newest first.</summary>
    public static IReadOnlyList<Rejection> Newest(SqliteSession session, int limit)
    {
        using var query = session.Prepare($"{Select} ORDER BY r.number DESC LIMIT ?1");
        return Rows(query.Bind(1, limit));
    }

    private static List<Rejection> Rows(SqliteStatement query)
    {
        var rows = new List<Rejection>();
        while (query.Step())
            rows.Add(new(query.Number(0), query.IsNull(1) ? null : query.Text(1), query.Text(2), query.Text(3), query.Number(4)));
        return rows;
    }
}
