using System.Net;
using System.Text.Json;

namespace StripeMeter.StripeDouble.Http;

/// <summary>Reads the JSON object of a v2 request into the pairs that a form would have: <c>{"a":{"b":1}}</c> is <c>a[b]=1</c>.</summary>
internal static class JsonPairs
{
    private const int MaximumDepth = 6;

    /// <exception cref="StripeRefusal">It is no JSON object, is nested too deep, or has too many members.</exception>
    public static List<KeyValuePair<string, string>> Read(ReadOnlySpan<byte> body, int maximumPairs)
    {
        try
        {
            var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = MaximumDepth });
            using var document = JsonDocument.ParseValue(ref reader);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw Unreadable("it is no JSON object");
            var pairs = new List<KeyValuePair<string, string>>();
            Add(pairs, "", document.RootElement, maximumPairs);
            return pairs;
        }
        catch (JsonException problem)
        {
            throw Unreadable(problem.Message);
        }
    }

    private static void Add(List<KeyValuePair<string, string>> pairs, string name, JsonElement value, int maximumPairs)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in value.EnumerateObject())
                    Add(pairs, name.Length == 0 ? member.Name : $"{name}[{member.Name}]", member.Value, maximumPairs);
                break;
            case JsonValueKind.Array:
                foreach (var (index, item) in value.EnumerateArray().Index())
                    Add(pairs, $"{name}[{index}]", item, maximumPairs);
                break;
            case JsonValueKind.Null:
                break;
            default:
                if (pairs.Count == maximumPairs)
                    throw Unreadable($"it has more than {maximumPairs} members");
                pairs.Add(new(name, value.ToString()));
                break;
        }
    }

    private static StripeRefusal Unreadable(string why) => new(HttpStatusCode.BadRequest, $"The body of the request cannot be read: {why}.");
}
