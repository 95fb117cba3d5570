using System.Text.Json.Nodes;
using StripeMeter.StripeDouble.Http;
using StripeMeter.StripeDouble.Meters;

namespace StripeMeter.StripeDouble.MeterEvents;

/// <summary><c>POST /v1/billing/meter_event_adjustments</c>: takes a whole event out of the count, shortly after it was received.</summary>
internal sealed class MeterEventAdjustmentApi(StripeDoubleOptions options)
{
    public StripeRoute Route => new("POST", "/v1/billing/meter_event_adjustments", (call, _) => Plan(call));

    /// <summary>Checks an adjustment; what is left is to make it.</summary>
    public Operation Plan(StripeCall call)
    {
        var parameters = call.Parameters;
        var name = parameters.RequiredText("event_name", MeterNames.MaximumCharacters);
        parameters.RequiredChoice("type", "cancel");
        var identifier = parameters.RequiredMap("cancel").RequiredText("identifier", MeterNames.MaximumCharacters);
        parameters.Expansion();
        parameters.RefuseUnknown();
        return new(writer =>
        {
            var oldestMs = call.NowMs - (long)options.CancelWindow.TotalMilliseconds;
            if (MeterTable.FindByEventName(writer, name) is not { } meter || !MeterEventTable.Cancel(writer, meter, identifier, oldestMs))
            {
                throw StripeRefusal.Invalid(
                    "cancel[identifier]",
                    $"No event with identifier {identifier} that can be cancelled was received for {name} "
                    + $"in the last {options.CancelWindow.TotalHours:0.##} hours.");
            }

            return new JsonObject
            {
                ["object"] = "billing.meter_event_adjustment",
                ["cancel"] = new JsonObject { ["identifier"] = identifier },
                ["event_name"] = name,
                ["livemode"] = false,
                ["status"] = "complete",
                ["type"] = "cancel",
            };
        });
    }
}
