using System.Collections.Frozen;
using System.Text;
using System.Text.Json;
using StripeMeter.Defaults.Wire;
using StripeMeter.Gateway.Errors;
using StripeMeter.Gateway.Requests;
using StripeMeter.Metering.Time;
using StripeMeter.V1;

namespace StripeMeter.Gateway.Events;

/// <summary>
/// Reads the body of an ingest request straight from its UTF-8 into the messages of ingest. Numbers keep their digits.
/// A request that cannot be read as a whole is refused; an event that cannot is refused alone. What the values must
/// keep beyond their JSON type is ingest's to say.
/// </summary>
public ref struct EventJson
{
    private static readonly FrozenDictionary<string, EventSource> Sources = new Dictionary<string, EventSource>
    {
        ["sdk"] = EventSource.Sdk,
        ["http"] = EventSource.Http,
        ["etl"] = EventSource.Etl,
        ["import"] = EventSource.Import,
        ["system"] = EventSource.System,
    }.ToFrozenDictionary();

    private readonly ReadOnlySpan<byte> _body;
    private readonly int _maximumEvents;
    private readonly bool _strictTenantId;
    private readonly string _requestKey;
    private readonly List<ReadEvent> _events = [];
    private Utf8JsonReader _reader;
    private UsageEvent _previous = new();

    private EventJson(ReadOnlySpan<byte> body, string requestKey, int maximumEvents, bool strictTenantId)
    {
        _body = body;
        (_requestKey, _maximumEvents, _strictTenantId) = (requestKey, maximumEvents, strictTenantId);

        // No document can nest deeper than it has bytes: how deep meta may be is a rule of events, not of requests.
        _reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = body.Length + 1 });
    }

    /// <param name="body">Valid UTF-8.</param>
    /// <param name="requestKey">Event i without a key of its own gets <c>requestKey:i</c>, unless this is empty.</param>
    /// <param name="maximumEvents">Most events read.</param>
    /// <param name="strictTenantId">Whether tenant ids must be UUIDs.</param>
    /// <exception cref="ProblemException">The body is no JSON, or not <c>{"events":[…]}</c> with 1 to the maximum of events.</exception>
    public static List<ReadEvent> Read(ReadOnlySpan<byte> body, string requestKey, int maximumEvents, bool strictTenantId)
    {
        var json = new EventJson(body, requestKey, maximumEvents, strictTenantId);
        try
        {
            json.ReadRequest();
        }
        catch (JsonException problem)
        {
            throw new ProblemException(Problem.Unreadable(
                $"is not JSON: line {problem.LineNumber + 1}, byte {problem.BytePositionInLine + 1}"));
        }

        return json._events;
    }

    private void ReadRequest()
    {
        _reader.Read();
        if (_reader.TokenType != JsonTokenType.StartObject)
            throw new ProblemException(Problem.Unreadable("must be a JSON object"));
        var found = false;
        while (_reader.Read() && _reader.TokenType == JsonTokenType.PropertyName)
        {
            var isEvents = NameIs("events"u8);
            _reader.Read();
            if (!isEvents)
            {
                _reader.Skip();
                continue;
            }

            if (found)
                throw new ProblemException(Problem.Invalid("events", "is there twice"));
            found = true;
            ReadEvents();
        }

        // Whatever follows the object makes the body no JSON.
        _reader.Read();
        if (!found)
            throw new ProblemException(Problem.Invalid("events", "is required"));
    }

    private void ReadEvents()
    {
        if (_reader.TokenType != JsonTokenType.StartArray)
            throw new ProblemException(Problem.Invalid("events", "must be an array"));
        var count = 0;
        while (_reader.Read() && _reader.TokenType != JsonTokenType.EndArray)
        {
            if (++count > _maximumEvents)
                _reader.Skip();
            else
                _events.Add(ReadEvent());
        }

        if (count == 0 || count > _maximumEvents)
            throw new ProblemException(Problem.Invalid("events", $"must be 1 to {_maximumEvents}, not {count}"));
    }

    private ReadEvent ReadEvent()
    {
        var index = _events.Count;
        var read = new UsageEvent();
        string? reason = null;
        var field = "event";
        if (_reader.TokenType != JsonTokenType.StartObject)
        {
            _reader.Skip();
            return new ReadEvent(read, new ProblemError(field, "must be a JSON object", index));
        }

        var seen = 0;
        while (_reader.Read() && _reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = FieldName();
            _reader.Read();
            var problem = name is null ? Ignore() : IsTwice(name, ref seen) ? Twice() : ReadField(read, name);
            if (problem is not null && reason is null)
                (field, reason) = (name!, problem);
        }

        if (read.IdempotencyKey.Length == 0 && _requestKey.Length > 0)
            read.IdempotencyKey = FormattableString.Invariant($"{_requestKey}:{index}");
        _previous = read;
        return new ReadEvent(read, reason is null ? null : new ProblemError(field, reason, index));
    }

    /// <summary>The field that the property names; null for one that is not ours.</summary>
    private readonly string? FieldName()
    {
        for (var place = 0; place < EventFields.All.Length; place++)
        {
            if (NameIs(EventFields.Utf8[place]))
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

    private string Twice()
    {
        _reader.Skip();
        return "is there twice";
    }

    private string? Ignore()
    {
        _reader.Skip();
        return null;
    }

    /// <summary>Reads one value. Returns why it cannot be read, or null.</summary>
    private string? ReadField(UsageEvent read, string name)
    {
        if (_reader.TokenType == JsonTokenType.Null)
            return null;
        try
        {
            return name switch
            {
                EventFields.Quantity => ReadQuantity(read),
                EventFields.Timestamp => ReadTimestamp(read),
                EventFields.Meta => ReadMeta(read),
                _ => ReadText(read, name),
            };
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, written as an escape.
            return "must be well-formed text";
        }
    }

    private string? ReadText(UsageEvent read, string name)
    {
        if (_reader.TokenType != JsonTokenType.String)
        {
            _reader.Skip();
            return "must be a string";
        }

        switch (name)
        {
            case EventFields.Tenant:
                read.TenantId = Text(_previous.TenantId);
                return _strictTenantId && !Guid.TryParseExact(read.TenantId, "D", out _) ? "must be a UUID" : null;
            case EventFields.Metric:
                read.Metric = Text(_previous.Metric);
                return null;
            case EventFields.Customer:
                read.CustomerRef = Text(_previous.CustomerRef);
                return null;
            case EventFields.Resource:
                read.ResourceId = Text(_previous.ResourceId);
                return null;
            case EventFields.Key:
                read.IdempotencyKey = _reader.GetString();
                return null;
            default:
                if (!Sources.TryGetValue(_reader.GetString()!, out var source))
                    return $"must be one of {string.Join(", ", Sources.Keys)}";
                read.Source = source;
                return null;
        }
    }

    /// <summary>The string at hand. Events in a row often repeat their names, and then share them.</summary>
    private readonly string Text(string previous) =>
        previous.Length > 0 && _reader.ValueTextEquals(previous) ? previous : _reader.GetString()!;

    private string? ReadQuantity(UsageEvent read)
    {
        switch (_reader.TokenType)
        {
            case JsonTokenType.Number:
                read.Quantity = Encoding.ASCII.GetString(_reader.ValueSpan);
                return null;
            case JsonTokenType.String:
                read.Quantity = _reader.GetString();
                return null;
            default:
                _reader.Skip();
                return "must be a number, or a decimal as a string";
        }
    }

    private string? ReadTimestamp(UsageEvent read)
    {
        if (_reader.TokenType != JsonTokenType.String)
        {
            _reader.Skip();
            return "must be a string";
        }

        var error = InstantText.Read(_reader.GetString(), out var instant);
        if (error == InstantTextError.None)
            read.Timestamp = instant.ToTimestamp();
        return RestTime.Reason(error);
    }

    private string? ReadMeta(UsageEvent read)
    {
        if (_reader.TokenType != JsonTokenType.StartObject)
        {
            _reader.Skip();
            return "must be a JSON object";
        }

        var start = (int)_reader.TokenStartIndex;
        _reader.Skip();
        read.MetaJson = Encoding.UTF8.GetString(_body[start..(int)_reader.BytesConsumed]);
        return null;
    }

    private readonly bool NameIs(ReadOnlySpan<byte> name)
    {
        try
        {
            return _reader.ValueTextEquals(name);
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}
