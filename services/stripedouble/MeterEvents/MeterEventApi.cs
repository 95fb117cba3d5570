using System.Net;
using System.Text.Json.Nodes;
using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Http;
using StripeMeter.StripeDouble.Meters;
using StripeMeter.StripeDouble.Storage;

namespace StripeMeter.StripeDouble.MeterEvents;

/// <summary>
/// <c>POST /v1/billing/meter_events</c>. An identifier is refused while it is known, which it is for a window that is shorter
/// than the age an event may have: afterwards the same event counts again, as Stripe allows itself to.
/// </summary>
internal sealed class MeterEventApi(StripeDoubleOptions options, ObjectStore customers)
{
    public const string Path = "/v1/billing/meter_events";

    /// <summary>How the refusal of a known identifier begins; clients know it by this text.</summary>
    public const string AlreadyExists = "An event already exists with identifier";

    public StripeRoute Route => new("POST", Path, Create, IsMeterEvent: true);

    /// <summary>Checks an event; what is left is to take it.</summary>
    public Operation Plan(StripeCall call, SqliteSession session, MeterEventParameters given)
    {
        var timestamp = Timestamp(call, given.TimestampSeconds);
        call.Parameters.Expansion();
        call.Parameters.RefuseUnknown();
        if (MeterTable.FindByEventName(session, given.EventName) is not { IsActive: true } meter)
            throw StripeRefusal.Invalid("event_name", $"No active meter found for event name {given.EventName}.");
        var request = MeterEventRequest.From(meter, given.Payload, given.Identifier, timestamp);
        return new(writer => Take(writer, call, meter, request), $"{meter.Id}\n{request.Customer}");
    }

    private Operation Create(StripeCall call, SqliteSession session) =>
        Plan(call, session, MeterEventParameters.Read(call.Parameters, call.Parameters.Integer("timestamp")));

    private JsonObject Take(SqliteSession session, StripeCall call, Meter meter, MeterEventRequest request)
    {
        if (MeterEventTable.Knows(session, request.Identifier, call.NowMs - (long)options.IdentifierWindow.TotalMilliseconds))
        {
            throw new StripeRefusal(HttpStatusCode.BadRequest, $"{AlreadyExists} {request.Identifier}.")
            {
                ShouldRetry = false,
            };
        }

        MeterEventTable.Add(session, meter, request, call.NowMs, call.Fault.Rejection ?? AsynchronousProblem(session, request));
        return request.ToJson(meter, call.NowSeconds);
    }

    /// <summary>What Stripe finds out only after it has answered.</summary>
    private string? AsynchronousProblem(SqliteSession session, MeterEventRequest request) =>
        options.RequireKnownCustomers && !customers.Has(session, request.Customer) ? "meter_event_customer_not_found" : null;

    private long Timestamp(StripeCall call, long? given)
    {
        var timestamp = given ?? call.NowSeconds;
        if (timestamp < call.NowSeconds - (long)options.OldestTimestamp.TotalSeconds)
            throw OutOfRange($"{options.OldestTimestamp.TotalDays:0.##} days in the past");
        if (timestamp > call.NowSeconds + (long)options.NewestTimestamp.TotalSeconds)
            throw OutOfRange($"{options.NewestTimestamp.TotalMinutes:0.##} minutes in the future");
        return timestamp;

        static StripeRefusal OutOfRange(string limit) =>
            StripeRefusal.Invalid("timestamp", $"Timestamp must be no more than {limit}.");
    }
}
