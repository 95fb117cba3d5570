using System.Globalization;
using System.Text.Json;

namespace StripeMeter.Pusher.Webhooks;

/// <summary>
/// What is kept of an event: what happened to which object of which account. What the object is now is asked of Stripe when
/// something is done about it, because events come late, twice and in any order.
/// </summary>
/// <param name="Id"><c>evt_…</c></param>
/// <param name="Type">Such as <c>invoice.created</c>.</param>
/// <param name="CreatedSeconds">When it happened, in Unix time.</param>
/// <param name="Livemode">False for Stripe's test mode.</param>
/// <param name="Account"><c>acct_…</c>; empty for the account of the configured key.</param>
/// <param name="ObjectId">The object it is about; empty if it names none.</param>
internal sealed record StripeEvent(string Id, string Type, long CreatedSeconds, bool Livemode, string Account, string ObjectId)
{
    /// <summary>Subscription items whose price this event changed: the one thing that the object, asked later, does not tell.</summary>
    public IReadOnlyList<string> RepricedItems { get; init; } = [];

    // Stripe takes 20 items in a subscription.
    private const int MaximumItems = 100;

    /// <summary>Reads the envelope of an event, a snapshot or a thin one.</summary>
    /// <param name="payload">The body.</param>
    /// <param name="endpointAccount">The account that the endpoint belongs to; an event of a connected one names that itself.</param>
    /// <returns>Null if it is no event.</returns>
    public static StripeEvent? Read(ReadOnlyMemory<byte> payload, string endpointAccount)
    {
        try
        {
            using var document = JsonDocument.Parse(payload);
            var root = document.RootElement;
            if (Text(root, "id") is not { Length: > 0 } id || Text(root, "type") is not { Length: > 0 } type)
                return null;
            var account = Text(root, "account") ?? Text(root, "context") ?? endpointAccount;
            return new StripeEvent(id, type, CreatedOf(root), Flag(root, "livemode"), account, ObjectOf(root)) { RepricedItems = RepricedOf(root) };
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string ObjectOf(JsonElement root)
    {
        if (Member(root, "related_object") is { ValueKind: JsonValueKind.Object } related)
            return Text(related, "id") ?? "";
        return Member(root, "data") is { ValueKind: JsonValueKind.Object } data && Member(data, "object") is { ValueKind: JsonValueKind.Object } about
            ? Text(about, "id") ?? ""
            : "";
    }

    /// <summary>Items that stand with one price in what the event changed, and with another in what came of it.</summary>
    private static IReadOnlyList<string> RepricedOf(JsonElement root)
    {
        if (Member(root, "data") is not { } data || Member(data, "previous_attributes") is not { } previous || Member(data, "object") is not { } about)
            return [];
        var before = PricesOf(previous).ToDictionary();
        return [.. PricesOf(about).Where(item => before.TryGetValue(item.Key, out var price) && price != item.Value).Select(item => item.Key)];
    }

    private static IEnumerable<KeyValuePair<string, string>> PricesOf(JsonElement subscription)
    {
        if (Member(subscription, "items") is not { } items || Member(items, "data") is not { ValueKind: JsonValueKind.Array } list)
            return [];
        return from item in list.EnumerateArray().Take(MaximumItems)
               let id = Text(item, "id")
               let price = Member(item, "price") is { } standing ? Text(standing, "id") : null
               where id is not null && price is not null
               group price by id into same
               select KeyValuePair.Create(same.Key, same.First());
    }

    /// <summary>Seconds in a snapshot, a date and time in a thin event.</summary>
    private static long CreatedOf(JsonElement root) => Member(root, "created") switch
    {
        { ValueKind: JsonValueKind.Number } number when number.TryGetInt64(out var seconds) => seconds,
        { ValueKind: JsonValueKind.String } text when DateTimeOffset.TryParse(
            text.GetString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment) => moment.ToUnixTimeSeconds(),
        _ => 0,
    };

    private static JsonElement? Member(JsonElement of, string name) =>
        of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out var value) ? value : null;

    private static string? Text(JsonElement of, string name) => Member(of, name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    private static bool Flag(JsonElement of, string name) => Member(of, name) is { ValueKind: JsonValueKind.True };
}
