using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Meters;
using StripeMeter.StripeDouble.Notices;

namespace StripeMeter.StripeDouble.MeterEvents;

/// <summary>A counted event, as the summaries see it.</summary>
internal readonly record struct CountedEvent(long TimestampSeconds, long Number, MeterValue Value);

internal static class MeterEventTable
{
    public const string Cancelled = "cancelled";

    private const string Select =
        """
        SELECT e.number, m.event_name, e.customer, e.identifier, e.timestamp_s, e.received_ms, e.value, e.excluded
        FROM meter_events e JOIN meters m ON m.number = e.meter
        """;

    /// <summary>Whether an identifier was taken after <paramref name="sinceMs"/>; across all meters and customers.</summary>
    public static bool Knows(SqliteSession session, string identifier, long sinceMs)
    {
        using var query = session.Prepare("SELECT 1 FROM meter_events WHERE identifier = ?1 AND received_ms > ?2 LIMIT 1");
        query.Bind(1, identifier).Bind(2, sinceMs);
        return query.Step();
    }

    public static void Add(SqliteSession session, MeterEventRequest request, long receivedMs, string? rejection)
    {
        using var insert = session.Prepare(
            """
            INSERT INTO meter_events (meter, customer, identifier, timestamp_s, received_ms, value, excluded)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            """);
        insert.Bind(1, request.Meter.Number).Bind(2, request.Customer).Bind(3, request.Identifier).Bind(4, request.TimestampSeconds)
            .Bind(5, receivedMs).Bind(6, request.Value.ToString()).Bind(7, rejection).Run();
        if (rejection is not null)
            RejectionTable.Add(session, request.Meter, request.Identifier, rejection, receivedMs);
    }

    /// <summary>Takes the newest event with an identifier out of the count.</summary>
    /// <returns>False when there is none that counts among those received after <paramref name="sinceMs"/>.</returns>
    public static bool Cancel(SqliteSession session, Meter meter, string identifier, long sinceMs)
    {
        using var update = session.Prepare(
            """
            UPDATE meter_events SET excluded = ?4 WHERE number =
              (SELECT max(number) FROM meter_events WHERE identifier = ?1 AND meter = ?2 AND received_ms > ?3) AND excluded IS NULL
            """);
        update.Bind(1, identifier).Bind(2, meter.Number).Bind(3, sinceMs).Bind(4, Cancelled).Run();
        return session.Changes == 1;
    }

    /// <summary>The events that count in [start, end) and were received by <paramref name="receivedByMs"/>, ordered by timestamp.</summary>
    public static IEnumerable<CountedEvent> Counted(
        SqliteSession session, Meter meter, string customer, long startSeconds, long endSeconds, long receivedByMs, bool newestFirst)
    {
        using var query = session.Prepare(
            $"""
            SELECT timestamp_s, number, value FROM meter_events INDEXED BY meter_events_counted
            WHERE meter = ?1 AND customer = ?2 AND timestamp_s >= ?3 AND timestamp_s < ?4 AND received_ms <= ?5 AND excluded IS NULL
            ORDER BY timestamp_s {(newestFirst ? "DESC" : "ASC")}
            """);
        query.Bind(1, meter.Number).Bind(2, customer).Bind(3, startSeconds).Bind(4, endSeconds).Bind(5, receivedByMs);
        while (query.Step())
            yield return new(query.Number(0), query.Number(1), MeterValue.Parse(query.Text(2)));
    }

    /// <summary>Events in the order of receipt, the excluded ones too.</summary>
    public static IReadOnlyList<MeterEvent> Read(SqliteSession session, long after, int limit)
    {
        using var query = session.Prepare($"{Select} WHERE e.number > ?1 ORDER BY e.number LIMIT ?2");
        return Rows(query.Bind(1, after).Bind(2, limit));
    }

    /// <summary>The events received last, newest first.</summary>
    public static IReadOnlyList<MeterEvent> Newest(SqliteSession session, int limit)
    {
        using var query = session.Prepare($"{Select} ORDER BY e.number DESC LIMIT ?1");
        return Rows(query.Bind(1, limit));
    }

    public static long Count(SqliteSession session)
    {
        using var query = session.Prepare("SELECT coalesce(max(number), 0) FROM meter_events");
        query.Step();
        return query.Number(0);
    }

    private static List<MeterEvent> Rows(SqliteStatement query)
    {
        var events = new List<MeterEvent>();
        while (query.Step())
        {
            events.Add(new(
                query.Number(0), query.Text(1), query.Text(2), query.Text(3), DateTimeOffset.FromUnixTimeSeconds(query.Number(4)),
                DateTimeOffset.FromUnixTimeMilliseconds(query.Number(5)), query.Text(6), query.IsNull(7) ? null : query.Text(7)));
        }

        return events;
    }
}
