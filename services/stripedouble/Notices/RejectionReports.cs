using System.Text.Json.Nodes;
using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Meters;
using StripeMeter.StripeDouble.Settling;

namespace StripeMeter.StripeDouble.Notices;

/// <summary>
/// Reports meter events that were answered 200 and then rejected: by meter, for as many seconds at a time as the options
/// say, and of each reason only samples.
/// </summary>
internal sealed class RejectionReports(NoticeBoard board, StripeDoubleOptions options) : ISettled
{
    private const string NoMeter = "no_meter";
    private long WindowMs => Math.Max(1, (long)options.ReportWindow.TotalMilliseconds);

    public static void Add(SqliteSession session, long eventNumber, long receivedMs)
    {
        using var insert = session.Prepare("INSERT INTO rejections (event, received_ms) VALUES (?1, ?2)");
        insert.Bind(1, eventNumber).Bind(2, receivedMs).Run();
    }

    public bool IsDue(SqliteSession session, DateTimeOffset now) => Waiting(session, now).Count > 0;

    public void Settle(SqliteSession session, DateTimeOffset now)
    {
        var waiting = Waiting(session, now);
        foreach (var report in waiting.GroupBy(rejected => (rejected.MeterId, IsMeterless: rejected.Code == NoMeter, Window: rejected.ReceivedMs / WindowMs)))
            Tell(session, report.Key.IsMeterless ? null : report.Key.MeterId, report.Key.Window, [.. report], now);
        foreach (var rejected in waiting)
        {
            using var delete = session.Prepare("DELETE FROM rejections WHERE event = ?1");
            delete.Bind(1, rejected.Event).Run();
        }
    }

    private void Tell(SqliteSession session, string? meter, long window, IReadOnlyList<Rejected> rejected, DateTimeOffset now)
    {
        var (start, end) = (DateTimeOffset.FromUnixTimeMilliseconds(window * WindowMs), DateTimeOffset.FromUnixTimeMilliseconds((window + 1) * WindowMs));
        var data = new JsonObject
        {
            ["developer_message_summary"] = $"{rejected.Count} meter events were not counted.",
            ["reason"] = new JsonObject
            {
                ["error_count"] = rejected.Count,
                ["error_types"] = new JsonArray([.. rejected.GroupBy(static one => one.Code).Select(ErrorType)]),
            },
            ["validation_end"] = NoticeBoard.Time(end),
            ["validation_start"] = NoticeBoard.Time(start),
        };
        var related = meter is null ? null : new JsonObject
        {
            ["id"] = meter, ["type"] = Meter.Kind, ["url"] = $"{MeterApi.Path}/{meter}",
        };
        board.Thin(session, meter is null ? "v1.billing.meter.no_meter_found" : "v1.billing.meter.error_report_triggered", related, data, now);
    }

    private JsonNode ErrorType(IGrouping<string, Rejected> errors) => new JsonObject
    {
        ["code"] = errors.Key,
        ["error_count"] = errors.Count(),
        ["sample_errors"] = new JsonArray([.. errors.Take(options.ReportSamples).Select(static one => (JsonNode)new JsonObject
        {
            ["error_message"] = $"The event was not counted: {one.Code}.",
            ["request"] = new JsonObject { ["identifier"] = one.Identifier },
        })]),
    };

    /// <summary>Those whose window is over.</summary>
    private List<Rejected> Waiting(SqliteSession session, DateTimeOffset now)
    {
        using var query = session.Prepare(
            """
            SELECT r.event, r.received_ms, m.id, e.identifier, e.excluded FROM rejections r
            JOIN meter_events e ON e.number = r.event JOIN meters m ON m.number = e.meter
            WHERE r.received_ms < ?1 ORDER BY r.event LIMIT ?2
            """);
        query.Bind(1, now.ToUnixTimeMilliseconds() / WindowMs * WindowMs).Bind(2, options.RejectionsPerRound);
        var waiting = new List<Rejected>();
        while (query.Step())
            waiting.Add(new(query.Number(0), query.Number(1), query.Text(2), query.Text(3), query.Text(4)));
        return waiting;
    }

    private sealed record Rejected(long Event, long ReceivedMs, string MeterId, string Identifier, string Code);
}
