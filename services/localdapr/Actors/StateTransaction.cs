using System.Globalization;
using System.Text.Json;
using StripeMeter.LocalDapr.Storage;

namespace StripeMeter.LocalDapr.Actors;

/// <summary>Reads the body of a state transaction without building a document of it: values stay slices of the body.</summary>
internal static class StateTransaction
{
    /// <summary>Changes in one transaction.</summary>
    public const int MaximumChanges = 10_000;

    /// <exception cref="JsonException">The body is not a list of operations.</exception>
    public static List<StateChange> Parse(ReadOnlyMemory<byte> body)
    {
        var reader = new Utf8JsonReader(body.Span);
        var changes = new List<StateChange>();
        Expect(ref reader, JsonTokenType.StartArray);
        while (ReadToken(ref reader) == JsonTokenType.StartObject)
        {
            if (changes.Count == MaximumChanges)
                throw new JsonException($"more than {MaximumChanges} operations");
            changes.Add(ReadOperation(ref reader, body));
        }

        if (reader.TokenType != JsonTokenType.EndArray || reader.Read())
            throw new JsonException("the body is not a list of operations");
        return changes;
    }

    private static StateChange ReadOperation(ref Utf8JsonReader reader, ReadOnlyMemory<byte> body)
    {
        string? operation = null;
        var change = default(StateChange);
        while (ReadToken(ref reader) == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("operation"u8))
                operation = ReadString(ref reader);
            else if (reader.ValueTextEquals("request"u8))
                change = ReadRequest(ref reader, body);
            else
                reader.Skip();
        }

        if (string.IsNullOrEmpty(change.Key))
            throw new JsonException("an operation has no key");
        return operation switch
        {
            "upsert" when change.Value is null => change with { Value = "null"u8.ToArray() },
            "upsert" => change,
            "delete" => change with { Value = null },
            _ => throw new JsonException($"operation '{operation}' is neither upsert nor delete"),
        };
    }

    private static StateChange ReadRequest(ref Utf8JsonReader reader, ReadOnlyMemory<byte> body)
    {
        Expect(ref reader, JsonTokenType.StartObject);
        var change = default(StateChange);
        while (ReadToken(ref reader) == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("key"u8))
                change = change with { Key = ReadString(ref reader) };
            else if (reader.ValueTextEquals("value"u8))
                change = change with { Value = ReadSlice(ref reader, body) };
            else if (reader.ValueTextEquals("metadata"u8))
                change = change with { TtlSeconds = ReadTtl(ref reader) };
            else
                reader.Skip();
        }

        return change;
    }

    private static ReadOnlyMemory<byte> ReadSlice(ref Utf8JsonReader reader, ReadOnlyMemory<byte> body)
    {
        ReadToken(ref reader);
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return body[start..(int)reader.BytesConsumed];
    }

    private static long? ReadTtl(ref Utf8JsonReader reader)
    {
        if (ReadToken(ref reader) == JsonTokenType.Null)
            return null;
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new JsonException("metadata is not an object");
        long? ttl = null;
        while (ReadToken(ref reader) == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("ttlInSeconds"u8))
                ttl = long.TryParse(ReadString(ref reader), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds)
                    ? seconds > 0 ? seconds : null
                    : throw new JsonException("ttlInSeconds is not a number");
            else
                reader.Skip();
        }

        return ttl;
    }

    private static string ReadString(ref Utf8JsonReader reader) =>
        ReadToken(ref reader) == JsonTokenType.String ? reader.GetString()!
            : throw new JsonException($"a string was expected at byte {reader.TokenStartIndex}");

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType type)
    {
        if (ReadToken(ref reader) != type)
            throw new JsonException($"{type} was expected at byte {reader.TokenStartIndex}");
    }

    private static JsonTokenType ReadToken(ref Utf8JsonReader reader) =>
        reader.Read() ? reader.TokenType : throw new JsonException("the body ends early");
}
