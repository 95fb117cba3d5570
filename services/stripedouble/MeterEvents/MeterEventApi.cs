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

    public StripeRoute Route => new("POST", Path, Create, IsMeterEvent: true);

    private Operation Create(StripeCall call, SqliteSession session)
    {
        var parameters = call.Parameters;
        var name = parameters.RequiredText("event_name", MeterNames.MaximumCharacters);
        var payload = parameters.TextMap("payload", MeterNames.MaximumCharacters) ?? throw StripeRefusal.Missing("payload");
        var identifier = parameters.Text("identifier", MeterNames.MaximumCharacters);
        var timestamp = Timestamp(call);
        parameters.Expansion();
        parameters.RefuseUnknown();
        if (MeterTable.FindByEventName(session, name) is not { IsActive: true } meter)
            throw StripeRefusal.Invalid("event_name", $"No active meter found for event name {name}.");
        var request = MeterEventRequest.From(meter, payload, identifier, timestamp);
        return new(writer => Take(writer, call, meter, request), $"{meter.Id}\n{request.Customer}");
    }

    private JsonObject Take(SqliteSession session, StripeCall call, Meter meter, MeterEventRequest request)
    {
        if (MeterEventTable.Knows(session, request.Identifier, call.NowMs - (long)options.IdentifierWindow.TotalMilliseconds))
        {
            throw new StripeRefusal(HttpStatusCode.BadRequest, $"An event already exists with identifier {request.Identifier}.")
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

    private long Timestamp(StripeCall call)
    {
        var timestamp = call.Parameters.Integer("timestamp") ?? call.NowSeconds;
        if (timestamp < call.NowSeconds - (long)options.OldestTimestamp.TotalSeconds)
            throw OutOfRange($"{options.OldestTimestamp.TotalDays:0.##} days in the past");
        if (timestamp > call.NowSeconds + (long)options.NewestTimestamp.TotalSeconds)
            throw OutOfRange($"{options.NewestTimestamp.TotalMinutes:0.##} minutes in the future");
        return timestamp;

        static StripeRefusal OutOfRange(string limit) =>
            StripeRefusal.Invalid("timestamp", $"Timestamp must be no more than {limit}.");
    }
}
