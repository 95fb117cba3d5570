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
        parameters.TextMap("payload", MeterNames.MaximumCharacters) ?? throw StripeRefusal.Missing("payload"),
        parameters.Text("identifier", MeterNames.MaximumCharacters),
        timestampSeconds);
}

/// <summary>A meter event whose parameters keep every rule.</summary>
internal sealed record MeterEventRequest(
    string Identifier, IReadOnlyDictionary<string, string> Payload, string Customer, MeterValue Value, long TimestampSeconds)
{
    /// <exception cref="StripeRefusal">The payload lacks what the meter needs, or its value is not one.</exception>
    public static MeterEventRequest From(
        Meter meter, IReadOnlyDictionary<string, string> payload, string? identifier, long timestampSeconds)
    {
        var customer = Required(meter.CustomerKey);
        // A count meter counts events, whatever they carry.
        var value = meter.Formula == Meter.Count ? MeterValue.One : Parse(Required(meter.ValueKey));
        return new(identifier ?? Guid.NewGuid().ToString(), payload, customer, value, timestampSeconds);

        string Required(string key) => payload.GetValueOrDefault(key) ?? throw StripeRefusal.Missing($"payload[{key}]");

        MeterValue Parse(string text) => MeterValue.TryParse(text, out var parsed) is { } problem
            ? throw StripeRefusal.Invalid($"payload[{meter.ValueKey}]", problem)
            : parsed;
    }

    public JsonObject ToJson(Meter meter, long createdSeconds) => new()
    {
        ["object"] = "billing.meter_event",
        ["created"] = createdSeconds,
        ["event_name"] = meter.EventName,
        ["identifier"] = Identifier,
        ["livemode"] = false,
        ["payload"] = StripeJson.Object(Payload),
        ["timestamp"] = TimestampSeconds,
    };
}
