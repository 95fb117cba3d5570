using System.Text.Json;
using StripeMeter.EventFormats;
using StripeMeter.Gateway.Errors;

namespace StripeMeter.Gateway.Events;

/// <summary>
/// Reads the body of an ingest request, <c>{"events":[…]}</c>. A request that cannot be read as a whole is refused; an
/// event that cannot is refused alone.
/// </summary>
public ref struct EventJson
{
    private readonly int _maximumEvents;
    private readonly List<ReadEvent> _events = [];
    private Utf8JsonReader _reader;
    private EventReader _eventReader;

    private EventJson(ReadOnlySpan<byte> body, int maximumEvents)
    {
        _maximumEvents = maximumEvents;
        _reader = EventReader.ReaderOf(body);
        _eventReader = new EventReader(body);
    }

    /// <param name="body">Valid UTF-8.</param>
    /// <param name="maximumEvents">Most events read.</param>
    /// <exception cref="ProblemException">The body is no JSON, or not <c>{"events":[…]}</c> with 1 to the maximum of events.</exception>
    public static List<ReadEvent> Read(ReadOnlySpan<byte> body, int maximumEvents)
    {
        var json = new EventJson(body, maximumEvents);
        try
        {
            json.ReadRequest();
        }
        catch (JsonException problem)
        {
            throw new ProblemException(Problem.NotJson(problem));
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
            var isEvents = EventReader.NameIs(ref _reader, "events"u8);
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
                _events.Add(_eventReader.Read(ref _reader));
        }

        if (count == 0 || count > _maximumEvents)
            throw new ProblemException(Problem.Invalid("events", $"must be 1 to {_maximumEvents}, not {count}"));
    }
}
