using System.Net;
using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Http;

namespace StripeMeter.StripeDouble.MeterEvents;

/// <summary><c>POST /v1/billing/meter_events</c>. Clients know the refusal of a known identifier by its text; it has no code.</summary>
internal sealed class MeterEventApi(MeterEventIntake intake)
{
    public const string Path = "/v1/billing/meter_events";

    /// <summary>What only one request may work on at a time: the customer on the meter.</summary>
    public static string Exclusive(MeterEventRequest request) => $"{request.Meter.Id}\n{request.Customer}";

    /// <summary>What a known identifier is refused with.</summary>
    public static string AlreadyExists(string identifier) => $"An event already exists with identifier {identifier}.";

    public StripeRoute Route => new("POST", Path, Create, TakesUsage: true);

    private Operation Create(StripeCall call, SqliteSession session)
    {
        var given = MeterEventParameters.Read(call.Parameters, call.Parameters.Integer("timestamp"));
        call.Parameters.Expansion();
        call.Parameters.RefuseUnknown();
        if (!intake.TryRead(session, call.Now, given, out var request, out var fault))
            throw fault.ToRefusal();
        return new(
            writer => intake.Take(writer, call.NowMs, request, call.Fault.RejectionOf(0))
                ? request.ToJson(call.NowSeconds)
                : throw new StripeRefusal(HttpStatusCode.BadRequest, AlreadyExists(request.Identifier)) { ShouldRetry = false },
            Exclusive(request));
    }
}
