using System.Net;
using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Http;
using StripeMeter.StripeDouble.MeterEvents;
using StripeMeter.StripeDouble.Meters;
using StripeMeter.StripeDouble.Notices;
using StripeMeter.StripeDouble.Storage;

namespace StripeMeter.StripeDouble.MeterEventStreams;

/// <summary>
/// <c>POST /v2/billing/meter_event_session</c>, called with a key, gives a token; <c>POST /v2/billing/meter_event_stream</c>,
/// called with that, takes meter events by the hundred, and what is wrong with one is only reported afterwards.
/// See https://docs.stripe.com/api/v2/billing/meter-event-stream. At Stripe streams have a host of their own, and are in live
/// mode only.
/// </summary>
/// <remarks>
/// Unverified, as Stripe does not say: the status of an unknown token (401 here, as of an expired one), that an identifier which is known
/// has its event dropped without a report, and that a request of another shape (no event name, no payload, an unknown
/// parameter, too many events) is refused at once. Its limit of 10,000 requests a second is not modelled.
/// </remarks>
internal sealed class MeterEventStreamApi(StripeDoubleOptions options, MeterEventIntake intake)
{
    public const string Path = "/v2/billing/meter_event_stream";

    /// <summary>Events of one request.</summary>
    public const int MaximumEvents = 100;

    public IEnumerable<StripeRoute> Routes =>
        [new("POST", "/v2/billing/meter_event_session", Open), new("POST", Path, Take, TakesUsage: true)];

    /// <summary>Whether a token may be used now.</summary>
    /// <param name="session">One consistent state of an account.</param>
    /// <param name="token">The token.</param>
    /// <param name="now">The time.</param>
    /// <returns>False if it is none of the account's.</returns>
    /// <exception cref="StripeRefusal">It is of the account, and has expired.</exception>
    public static bool IsTokenOf(SqliteSession session, string token, DateTimeOffset now) =>
        StreamSessionTable.Find(session, token) is { } known
        && (now < known.Expires ? true : throw new StripeRefusal(HttpStatusCode.Unauthorized, "The session of this token has expired; make another.")
        {
            Type = "temporary_session_expired", Code = "billing_meter_event_session_expired",
        });

    private Operation Open(StripeCall call, SqliteSession session)
    {
        call.Parameters.RefuseUnknown();
        return new(writer =>
        {
            var made = new StreamSession(
                Identifiers.Create("mes_test_", 24), Identifiers.Create("mest_double_", 48), call.Now, call.Now + options.StreamSession);
            StreamSessionTable.Add(writer, made);
            return made.ToJson();
        });
    }

    private Operation Take(StripeCall call, SqliteSession session)
    {
        var events = call.Parameters.Maps("events").Select(Read).ToList();
        if (events.Count == 0)
            throw StripeRefusal.Missing("events");
        if (events.Count > MaximumEvents)
            throw StripeRefusal.Invalid("events", $"A request can have at most {MaximumEvents} events. Received {events.Count}.");
        call.Parameters.RefuseUnknown();
        return new(
            writer =>
            {
                foreach (var (index, given) in events.Index())
                    Take(writer, call, given, call.Fault.RejectionOf(index));
                StreamSessionTable.Used(writer, call.Token, events.Count);
                return [];
            },
            MeterEvents: events.Count);
    }

    private void Take(SqliteSession session, StripeCall call, MeterEventParameters given, string? rejection)
    {
        if (intake.TryRead(session, call.Now, given, out var request, out var fault))
            intake.Take(session, call.NowMs, request, rejection);
        else
            RejectionTable.Add(session, MeterTable.FindByEventName(session, given.EventName), given.Identifier ?? "", fault.ReportCode, call.NowMs);
    }

    private static MeterEventParameters Read(Parameters parameters) =>
        MeterEventParameters.Read(parameters, parameters.DateTime("timestamp")?.ToUnixTimeSeconds());
}
