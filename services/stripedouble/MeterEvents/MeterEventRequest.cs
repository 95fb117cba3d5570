using System.Text.Json.Nodes;
using StripeMeter.StripeDouble.Http;
using StripeMeter.StripeDouble.Meters;

namespace StripeMeter.StripeDouble.MeterEvents;

/// <summary>What a request says of an event.</summary>
internal sealed record MeterEventParameters(
    string EventName, IReadOnlyDictionary<string, string> Payload, string? Identifier, long? TimestampSeconds)
{
    public static MeterEventParameters Read(Parameters parameters, long? timestampSeconds) => new(
        parameters.RequiredText("event_name", MeterNames.MaximumCharacters),
        parameters.TextMap("payload", MeterNames.MaximumCharacters) ?? throw StripeRefusal.Missing(parameters.Name("payload")),
        parameters.Text("identifier", MeterNames.MaximumCharacters),
        timestampSeconds);
}

/// <summary>A meter event that keeps every rule.</summary>
internal sealed record MeterEventRequest(
    Meter Meter, string Identifier, IReadOnlyDictionary<string, string> Payload, string Customer, MeterValue Value, long TimestampSeconds)
{
    public JsonObject ToJson(long createdSeconds) => new()
    {
        ["object"] = "billing.meter_event",
        ["created"] = createdSeconds,
        ["event_name"] = Meter.EventName,
        ["identifier"] = Identifier,
        ["livemode"] = false,
        ["payload"] = StripeJson.Object(Payload),
        ["timestamp"] = TimestampSeconds,
    };
}
