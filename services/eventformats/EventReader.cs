using System.Collections.Frozen;
using System.Text;
using System.Text.Json;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Time;
using StripeMeter.V1;
using FieldError = StripeMeter.Metering.Events.FieldError;

namespace StripeMeter.EventFormats;

/// <summary>
/// Reads events from the UTF-8 of their JSON objects into the messages of ingest. Numbers keep their digits. What the
/// values must keep beyond their JSON type is ingest's to say.
/// </summary>
/// <param name="body">The text that the events stand in.</param>
public ref struct EventReader(ReadOnlySpan<byte> body)
{
    private static readonly FrozenDictionary<string, EventSource> Sources = new Dictionary<string, EventSource>
    {
        ["sdk"] = EventSource.Sdk,
        ["http"] = EventSource.Http,
        ["etl"] = EventSource.Etl,
        ["import"] = EventSource.Import,
        ["system"] = EventSource.System,
    }.ToFrozenDictionary();

    private readonly ReadOnlySpan<byte> _body = body;
    private UsageEvent _previous = new();

    /// <summary>Reads a text that is one event.</summary>
    /// <exception cref="JsonException">The text is no JSON.</exception>
    public static ReadEvent ReadOne(ReadOnlySpan<byte> text)
    {
        var reader = ReaderOf(text);
        reader.Read();
        var read = new EventReader(text).Read(ref reader);

        // Whatever follows makes the text no JSON.
        reader.Read();
        return read;
    }

    /// <summary>A reader for texts with events. No document can nest deeper than it has bytes: how deep meta may be is a rule of events.</summary>
    public static Utf8JsonReader ReaderOf(ReadOnlySpan<byte> text) =>
        new(text, new JsonReaderOptions { MaxDepth = text.Length + 1 });

    /// <summary>Reads the value at which the reader stands, and leaves it at the value's end.</summary>
    public ReadEvent Read(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return ReadEvent.Refused("event", "must be a JSON object");
        }

        var read = new UsageEvent();
        var seen = 0;
        FieldError? error = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = FieldName(ref reader);
            reader.Read();
            var reason = name is null ? Ignore(ref reader)
                : IsTwice(name, ref seen) ? Twice(ref reader)
                : ReadField(ref reader, read, name);
            if (reason is not null)
                error ??= new FieldError(name!, reason);
        }

        _previous = read;
        return new ReadEvent(read, error);
    }

    /// <summary>Whether the name at which the reader stands is this one.</summary>
    public static bool NameIs(ref Utf8JsonReader reader, ReadOnlySpan<byte> name)
    {
        try
        {
            return reader.ValueTextEquals(name);
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>The field that the property names; null for one that is not ours.</summary>
    private static string? FieldName(ref Utf8JsonReader reader)
    {
        for (var place = 0; place < EventFields.All.Length; place++)
        {
            if (NameIs(ref reader, EventFields.Utf8[place]))
                return EventFields.All[place];
        }

        return null;
    }

    private static bool IsTwice(string name, ref int seen)
    {
        var bit = 1 << Array.IndexOf(EventFields.All, name);
        var twice = (seen & bit) != 0;
        seen |= bit;
        return twice;
    }

    private static string Twice(ref Utf8JsonReader reader)
    {
        reader.Skip();
        return "is there twice";
    }

    private static string? Ignore(ref Utf8JsonReader reader)
    {
        reader.Skip();
        return null;
    }

    /// <summary>Reads one value. Returns why it cannot be read, or null.</summary>
    private readonly string? ReadField(ref Utf8JsonReader reader, UsageEvent read, string name)
    {
        if (reader.TokenType == JsonTokenType.Null)
            return null;
        try
        {
            return name switch
            {
                EventFields.Quantity => ReadQuantity(ref reader, read),
                EventFields.Timestamp => ReadTimestamp(ref reader, read),
                EventFields.Meta => ReadMeta(ref reader, read),
                _ => ReadText(ref reader, read, name),
            };
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, written as an escape.
            return "must be well-formed text";
        }
    }

    private readonly string? ReadText(ref Utf8JsonReader reader, UsageEvent read, string name)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            reader.Skip();
            return "must be a string";
        }

        switch (name)
        {
            case EventFields.Tenant:
                read.TenantId = Text(ref reader, _previous.TenantId);
                return null;
            case EventFields.Metric:
                read.Metric = Text(ref reader, _previous.Metric);
                return null;
            case EventFields.Customer:
                read.CustomerRef = Text(ref reader, _previous.CustomerRef);
                return null;
            case EventFields.Resource:
                read.ResourceId = Text(ref reader, _previous.ResourceId);
                return null;
            case EventFields.Key:
                read.IdempotencyKey = reader.GetString();
                return null;
            default:
                if (!Sources.TryGetValue(reader.GetString()!, out var source))
                    return $"must be one of {string.Join(", ", Sources.Keys)}";
                read.Source = source;
                return null;
        }
    }

    /// <summary>The string at hand. Events in a row often repeat their names, and then share them.</summary>
    private static string Text(ref Utf8JsonReader reader, string previous) =>
        previous.Length > 0 && reader.ValueTextEquals(previous) ? previous : reader.GetString()!;

    private static string? ReadQuantity(ref Utf8JsonReader reader, UsageEvent read)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Number:
                read.Quantity = Encoding.ASCII.GetString(reader.ValueSpan);
                return null;
            case JsonTokenType.String:
                read.Quantity = reader.GetString();
                return null;
            default:
                reader.Skip();
                return "must be a number, or a decimal as a string";
        }
    }

    private static string? ReadTimestamp(ref Utf8JsonReader reader, UsageEvent read)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            reader.Skip();
            return "must be a string";
        }

        var error = InstantText.Read(reader.GetString(), out var instant);
        if (error == InstantTextError.None)
            read.Timestamp = instant.ToTimestamp();
        return TimeText.Reason(error);
    }

    private readonly string? ReadMeta(ref Utf8JsonReader reader, UsageEvent read)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return "must be a JSON object";
        }

        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        read.MetaJson = Encoding.UTF8.GetString(_body[start..(int)reader.BytesConsumed]);
        return null;
    }
}
