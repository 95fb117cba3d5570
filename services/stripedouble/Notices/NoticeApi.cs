using System.Text.Json.Nodes;
using StripeMeter.StripeDouble.Http;

namespace StripeMeter.StripeDouble.Notices;

/// <summary><c>/v1/events/{id}</c> for snapshots, and <c>/v2/core/events/{id}</c> for what thin events leave out.</summary>
internal static class NoticeApi
{
    public static IEnumerable<StripeRoute> Routes =>
        [new("GET", "/v1/events/{id}", (call, _) => Get(call, isThin: false)), new("GET", "/v2/core/events/{id}", (call, _) => Get(call, isThin: true))];

    private static Operation Get(StripeCall call, bool isThin)
    {
        call.Parameters.Expansion();
        call.Parameters.RefuseUnknown();
        return new(reader => NoticeTable.Find(reader, call.Id) is { } notice && notice.IsThin == isThin
            ? JsonNode.Parse(notice.Body)!.AsObject()
            : throw StripeRefusal.NoSuch("event", call.Id));
    }
}
