using System.Globalization;
using System.Net;
using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Http;
using StripeMeter.StripeDouble.Meters;
using StripeMeter.StripeDouble.Notices;
using StripeMeter.StripeDouble.Storage;

namespace StripeMeter.StripeDouble.MeterEvents;

/// <summary>
/// <c>/v2/billing/meter_events</c> and <c>/v2/billing/meter_event_adjustments</c>: the same work as v1's, written as JSON, and
/// with error codes of their own. Streams are not modelled: Stripe has them in live mode only.
/// </summary>
internal sealed class MeterEventV2Api(MeterEventApi events, MeterEventAdjustmentApi adjustments)
{
    public IEnumerable<StripeRoute> Routes =>
    [
        new("POST", "/v2/billing/meter_events", Create, IsMeterEvent: true),
        new("POST", "/v2/billing/meter_event_adjustments", Adjust),
    ];

    private Operation Create(StripeCall call, SqliteSession session)
    {
        var request = MeterEventParameters.Read(call.Parameters, ReadTimestamp(call.Parameters));
        var meter = MeterTable.FindByEventName(session, request.EventName)
            ?? throw Refused("no_meter", $"There is no meter with the event name {request.EventName}.");
        if (!meter.IsActive)
            throw Refused("archived_meter", $"The meter of the event name {request.EventName} is archived.");
        var operation = Coded(meter, () => events.Plan(call, session, request));
        return operation with
        {
            Execute = writer =>
            {
                var taken = Coded(meter, () => operation.Execute(writer));
                taken["object"] = "v2.billing.meter_event";
                taken["created"] = NoticeBoard.Time(call.Now);
                taken["timestamp"] = NoticeBoard.Time(DateTimeOffset.FromUnixTimeSeconds((long)taken["timestamp"]!));
                return taken;
            },
        };
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

    private static long? ReadTimestamp(Parameters parameters)
    {
        if (parameters.Text("timestamp") is not { } text)
            return null;
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var timestamp)
            ? timestamp.ToUnixTimeSeconds()
            : throw StripeRefusal.Invalid("timestamp", "timestamp must be an RFC 3339 date-time.");
    }

    /// <summary>Says what v1 would refuse, by the codes of v2.</summary>
    private static T Coded<T>(Meter meter, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (StripeRefusal refusal) when (refusal.Message.StartsWith(MeterEventApi.AlreadyExists, StringComparison.Ordinal))
        {
            throw Refused("duplicate_meter_event", refusal.Message);
        }
        catch (StripeRefusal refusal) when (refusal.Parameter == $"payload[{meter.CustomerKey}]")
        {
            throw Refused("payload_no_customer_defined", refusal.Message);
        }
        catch (StripeRefusal refusal) when (refusal.Parameter == $"payload[{meter.ValueKey}]")
        {
            throw Refused(refusal.Code == "parameter_missing" ? "payload_no_value_defined" : "payload_invalid_value", refusal.Message);
        }
    }

    private static StripeRefusal Refused(string code, string message) => new(HttpStatusCode.BadRequest, message) { Code = code };
}
