using System.Diagnostics.CodeAnalysis;
using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Meters;
using StripeMeter.StripeDouble.Storage;

namespace StripeMeter.StripeDouble.MeterEvents;

/// <summary>
/// The rules of meter events, the same however they come. An identifier is refused while it is known, which it is for a
/// window that is shorter than the age an event may have: afterwards the same event counts again, as Stripe allows itself to.
/// </summary>
internal sealed class MeterEventIntake(StripeDoubleOptions options, ObjectStore customers)
{
    /// <summary>Holds an event against the rules that need no look at the events before it.</summary>
    public bool TryRead(
        SqliteSession session, DateTimeOffset now, MeterEventParameters given,
        [NotNullWhen(true)] out MeterEventRequest? request, [NotNullWhen(false)] out MeterEventFault? fault)
    {
        request = null;
        var meter = MeterTable.FindByEventName(session, given.EventName);
        var timestamp = given.TimestampSeconds ?? now.ToUnixTimeSeconds();
        fault = FaultOf(meter, given.EventName) ?? FaultOf(timestamp, now.ToUnixTimeSeconds());
        if (fault is not null)
            return false;
        if (!given.Payload.TryGetValue(meter!.CustomerKey, out var customer))
        {
            fault = Missing(meter.CustomerKey, "payload_no_customer_defined", "meter_event_no_customer_defined");
            return false;
        }

        fault = FaultOf(meter, given.Payload, out var value);
        if (fault is not null)
            return false;
        request = new MeterEventRequest(meter, given.Identifier ?? Guid.NewGuid().ToString(), given.Payload, customer, value, timestamp);
        return true;
    }

    /// <summary>Takes an event.</summary>
    /// <param name="session">The transaction.</param>
    /// <param name="nowMs">When it came.</param>
    /// <param name="request">The event.</param>
    /// <param name="rejection">The code with which it is not counted after all; null lets it count, if it can.</param>
    /// <returns>False, and nothing done, when its identifier is known.</returns>
    public bool Take(SqliteSession session, long nowMs, MeterEventRequest request, string? rejection)
    {
        if (MeterEventTable.Knows(session, request.Identifier, nowMs - (long)options.IdentifierWindow.TotalMilliseconds))
            return false;
        MeterEventTable.Add(session, request, nowMs, rejection ?? LateRejection(session, request));
        return true;
    }

    /// <summary>What Stripe finds out only after it has answered.</summary>
    private string? LateRejection(SqliteSession session, MeterEventRequest request) =>
        options.RequireKnownCustomers && !customers.Has(session, request.Customer) ? "meter_event_customer_not_found" : null;

    private static MeterEventFault? FaultOf(Meter? meter, string eventName) => meter switch
    {
        { IsActive: true } => null,
        null => new($"No active meter found for event name {eventName}.", "event_name", null, "no_meter", "no_meter"),
        _ => new($"No active meter found for event name {eventName}.", "event_name", null, "archived_meter", "archived_meter"),
    };

    private MeterEventFault? FaultOf(long timestamp, long now)
    {
        if (timestamp < now - (long)options.OldestTimestamp.TotalSeconds)
            return OutOfRange($"{options.OldestTimestamp.TotalDays:0.##} days in the past", "timestamp_too_far_in_past");
        return timestamp > now + (long)options.NewestTimestamp.TotalSeconds
            ? OutOfRange($"{options.NewestTimestamp.TotalMinutes:0.##} minutes in the future", "timestamp_in_future")
            : null;

        static MeterEventFault OutOfRange(string limit, string reportCode) =>
            new($"Timestamp must be no more than {limit}.", "timestamp", null, null, reportCode);
    }

    private static MeterEventFault? FaultOf(Meter meter, IReadOnlyDictionary<string, string> payload, out MeterValue value)
    {
        // A count meter counts events, whatever they carry.
        value = MeterValue.One;
        if (meter.Formula == Meter.Count)
            return null;
        if (!payload.TryGetValue(meter.ValueKey, out var text))
            return Missing(meter.ValueKey, "payload_no_value_defined", "meter_event_value_not_found");
        return MeterValue.TryParse(text, out value) is { } problem
            ? new(problem, $"payload[{meter.ValueKey}]", null, "payload_invalid_value",
                MeterValue.HasTooManyDigits(text) ? "meter_event_value_too_many_digits" : "meter_event_invalid_value")
            : null;
    }

    private static MeterEventFault Missing(string key, string v2Code, string reportCode) =>
        new($"Missing required param: payload[{key}].", $"payload[{key}]", "parameter_missing", v2Code, reportCode);
}
