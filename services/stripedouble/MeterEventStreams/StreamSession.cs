using System.Text.Json.Nodes;
using StripeMeter.StripeDouble.Notices;

namespace StripeMeter.StripeDouble.MeterEventStreams;

/// <summary>Leave to send meter events by a stream for a while.</summary>
/// <param name="Id">Its id; Stripe does not say how one looks.</param>
/// <param name="Token">What stream requests bear in the place of a key.</param>
/// <param name="Created">When it was made.</param>
/// <param name="Expires">From when on its token is refused.</param>
/// <param name="Events">Meter events that came by it.</param>
internal sealed record StreamSession(string Id, string Token, DateTimeOffset Created, DateTimeOffset Expires, long Events = 0)
{
    public JsonObject ToJson() => new()
    {
        ["id"] = Id,
        ["object"] = "v2.billing.meter_event_session",
        ["authentication_token"] = Token,
        ["created"] = NoticeBoard.Time(Created),
        ["expires_at"] = NoticeBoard.Time(Expires),
        ["livemode"] = false,
    };
}
