using System.Net;
using System.Text.Json.Nodes;
using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Http;
using StripeMeter.StripeDouble.Notices;
using StripeMeter.StripeDouble.Storage;

namespace StripeMeter.StripeDouble.MeterEvents;

/// <summary>
/// <c>/v2/billing/meter_events</c> and <c>/v2/billing/meter_event_adjustments</c>: the same work as v1's, written as JSON, and
/// with error codes of their own.
/// </summary>
internal sealed class MeterEventV2Api(MeterEventIntake intake, MeterEventAdjustmentApi adjustments)
{
    public IEnumerable<StripeRoute> Routes =>
    [
        new("POST", "/v2/billing/meter_events", Create, TakesUsage: true),
        new("POST", "/v2/billing/meter_event_adjustments", Adjust),
    ];

    private Operation Create(StripeCall call, SqliteSession session)
    {
        var given = MeterEventParameters.Read(call.Parameters, call.Parameters.DateTime("timestamp")?.ToUnixTimeSeconds());
        call.Parameters.RefuseUnknown();
        if (!intake.TryRead(session, call.Now, given, out var request, out var fault))
            throw fault.ToV2Refusal();
        return new(
            writer => intake.Take(writer, call.NowMs, request, call.Fault.RejectionOf(0))
                ? ToJson(request, call.Now)
                : throw Refused("duplicate_meter_event", MeterEventApi.AlreadyExists(request.Identifier)),
            MeterEventApi.Exclusive(request));
    }

    private Operation Adjust(StripeCall call, SqliteSession session)
    {
        var operation = adjustments.Plan(call);
        return operation with
        {
            Execute = writer =>
            {
                try
                {
                    var done = operation.Execute(writer);
                    done["id"] = Identifiers.Create("mtr_event_adj_", 24);
                    done["object"] = "v2.billing.meter_event_adjustment";
                    done["created"] = NoticeBoard.Time(call.Now);
                    return done;
                }
                catch (StripeRefusal refusal) when (refusal.Parameter == "cancel[identifier]")
                {
                    throw Refused("invalid_cancel_configuration", refusal.Message);
                }
            },
        };
    }

    private static JsonObject ToJson(MeterEventRequest request, DateTimeOffset now)
    {
        var shown = request.ToJson(now.ToUnixTimeSeconds());
        shown["object"] = "v2.billing.meter_event";
        shown["created"] = NoticeBoard.Time(now);
        shown["timestamp"] = NoticeBoard.Time(DateTimeOffset.FromUnixTimeSeconds(request.TimestampSeconds));
        return shown;
    }

    private static StripeRefusal Refused(string code, string message) => new(HttpStatusCode.BadRequest, message) { Code = code };
}
