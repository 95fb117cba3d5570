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

    public bool IsDue(SqliteSession session, DateTimeOffset now) => Waiting(session, now, limit: 1).Count > 0;

    public void Settle(SqliteSession session, DateTimeOffset now)
    {
        var waiting = Waiting(session, now, options.RejectionsPerRound);
        foreach (var report in waiting.GroupBy(rejected => (Meter: rejected.Code == NoMeter ? null : rejected.MeterId, Window: rejected.ReceivedMs / WindowMs)))
            Tell(session, report.Key.Meter, report.Key.Window, [.. report], now);
        foreach (var rejected in waiting)
            RejectionTable.Reported(session, rejected);
    }

    private void Tell(SqliteSession session, string? meter, long window, IReadOnlyList<Rejection> rejected, DateTimeOffset now)
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

    private JsonNode ErrorType(IGrouping<string, Rejection> errors) => new JsonObject
    {
        ["code"] = errors.Key,
        ["error_count"] = errors.Count(),
        ["sample_errors"] = new JsonArray([.. errors.Take(options.ReportSamples).Select(static one => (JsonNode)new JsonObject
        {
            ["error_message"] = $"The event was not counted: {one.Code}.",
            ["request"] = new JsonObject { ["identifier"] = one.Identifier.Length > 0 ? one.Identifier : null },
        })]),
    };

    /// <summary>Those whose window is over.</summary>
    private IReadOnlyList<Rejection> Waiting(SqliteSession session, DateTimeOffset now, int limit) =>
        RejectionTable.Unreported(session, now.ToUnixTimeMilliseconds() / WindowMs * WindowMs, limit);
}
