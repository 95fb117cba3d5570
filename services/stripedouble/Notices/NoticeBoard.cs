using System.Globalization;
using System.Text.Json.Nodes;
using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Http;
using StripeMeter.StripeDouble.Storage;

namespace StripeMeter.StripeDouble.Notices;

/// <summary>Tells what came about in an account, in the transaction in which it does.</summary>
/// <param name="connectedAccount">Id of the account; null if it is the keys' own, which events do not name.</param>
/// <param name="webhook">Whether anybody listens.</param>
internal sealed class NoticeBoard(string? connectedAccount, WebhookSetting webhook)
{
    /// <summary>The version in which snapshots are written. Clients take those of their own train.</summary>
    public const string ApiVersion = "2026-10-28.endive";

    /// <summary>An event that carries its object as it is now.</summary>
    /// <param name="session">The transaction.</param>
    /// <param name="type">The type.</param>
    /// <param name="subject">The object.</param>
    /// <param name="now">When it came about.</param>
    /// <param name="before">The object before an update; null for any other event.</param>
    public void Snapshot(SqliteSession session, string type, JsonObject subject, DateTimeOffset now, JsonObject? before = null) => Add(session, type, false, now, id =>
    {
        var data = new JsonObject { ["object"] = subject.DeepClone() };
        if (before is not null)
            data["previous_attributes"] = Changes.Before(before, subject);
        var body = new JsonObject
        {
            ["id"] = id,
            ["object"] = "event",
            ["api_version"] = ApiVersion,
            ["created"] = now.ToUnixTimeSeconds(),
            ["data"] = data,
            ["livemode"] = false,
            ["pending_webhooks"] = webhook.Target is null ? 0 : 1,
            ["request"] = new JsonObject { ["id"] = null, ["idempotency_key"] = null },
            ["type"] = type,
        };
        if (connectedAccount is not null)
            body["account"] = connectedAccount;
        return body;
    });

    /// <summary>An event that names its object, if it has one, and whose data is to be fetched.</summary>
    public void Thin(SqliteSession session, string type, JsonObject? related, JsonObject data, DateTimeOffset now) => Add(session, type, true, now, id => new JsonObject
    {
        ["id"] = id,
        ["object"] = "v2.core.event",
        ["context"] = connectedAccount,
        ["created"] = Time(now),
        ["data"] = data,
        ["livemode"] = false,
        ["reason"] = null,
        ["related_object"] = related,
        ["type"] = type,
    });

    /// <summary>A moment as the v2 API writes it.</summary>
    public static string Time(DateTimeOffset moment) =>
        moment.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private void Add(SqliteSession session, string type, bool isThin, DateTimeOffset now, Func<string, JsonObject> write)
    {
        var id = Identifiers.Create(isThin ? "evt_test_" : "evt_", 24);
        var notice = new Notice(0, id, type, isThin, write(id).ToJsonString(StripeJson.Options), 0);
        NoticeTable.Add(session, notice, webhook.Target is null ? null : now.ToUnixTimeMilliseconds());
    }
}
