using System.Text.Json.Nodes;
using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Http;

namespace StripeMeter.StripeDouble.Meters;

internal static class MeterTable
{
    private const string Columns =
        "number, id, event_name, display_name, formula, customer_key, value_key, event_time_window, created, updated, deactivated";

    public static Meter Get(SqliteSession session, string id, string? parameter = null) =>
        Find(session, $"SELECT {Columns} FROM meters WHERE id = ?1", id) ?? throw StripeRefusal.NoSuch("billing meter", id, parameter);

    public static Meter? FindByEventName(SqliteSession session, string eventName) =>
        Find(session, $"SELECT {Columns} FROM meters WHERE event_name = ?1", eventName);

    /// <summary>Every meter, newest first.</summary>
    public static IReadOnlyList<Meter> All(SqliteSession session)
    {
        using var query = session.Prepare($"SELECT {Columns} FROM meters ORDER BY number DESC");
        var meters = new List<Meter>();
        while (query.Step())
            meters.Add(Read(query));
        return meters;
    }

    public static void Add(SqliteSession session, Meter meter)
    {
        using var insert = session.Prepare(
            """
            INSERT INTO meters (id, event_name, display_name, formula, customer_key, value_key, event_time_window, created, updated)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
            """);
        insert.Bind(1, meter.Id).Bind(2, meter.EventName).Bind(3, meter.DisplayName).Bind(4, meter.Formula)
            .Bind(5, meter.CustomerKey).Bind(6, meter.ValueKey).Bind(7, meter.EventTimeWindow)
            .Bind(8, meter.Created).Bind(9, meter.Updated).Run();
    }

    /// <summary>Stores what can change of a meter.</summary>
    public static void Change(SqliteSession session, Meter meter)
    {
        using var update = session.Prepare("UPDATE meters SET display_name = ?2, updated = ?3, deactivated = ?4 WHERE number = ?1");
        update.Bind(1, meter.Number).Bind(2, meter.DisplayName).Bind(3, meter.Updated);
        if (meter.Deactivated is { } deactivated)
            update.Bind(4, deactivated);
        update.Run();
    }

    public static JsonObject List(SqliteSession session, string url, Page page, string? status)
    {
        return page.List(url, new PagedRows(
            id => Get(session, id, page.CursorName).Number,
            position => Rows($"SELECT {Columns} FROM meters WHERE number < ?1 ORDER BY number DESC", position),
            position => Rows($"SELECT {Columns} FROM meters WHERE number > ?1 ORDER BY number", position)));

        IEnumerable<JsonObject> Rows(string sql, long position)
        {
            using var query = session.Prepare(sql);
            query.Bind(1, position);
            while (query.Step())
            {
                var meter = Read(query);
                if (status is null || meter.Status == status)
                    yield return meter.ToJson();
            }
        }
    }

    private static Meter? Find(SqliteSession session, string sql, string name)
    {
        using var query = session.Prepare(sql);
        query.Bind(1, name);
        return query.Step() ? Read(query) : null;
    }

    private static Meter Read(SqliteStatement row) => new(
        row.Number(0), row.Text(1), row.Text(2), row.Text(3), row.Text(4), row.Text(5), row.Text(6),
        row.IsNull(7) ? null : row.Text(7), row.Number(8), row.Number(9), row.IsNull(10) ? null : row.Number(10));
}
