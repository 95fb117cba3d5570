using System.Buffers;
using System.Text.Json;
using StripeMeter.EventFiles;
using StripeMeter.Metering.Time;

namespace StripeMeter.Cli.Ingesting;

/// <summary>Rows of a file as the body of one request of <c>POST /v1/events/ingest</c>.</summary>
internal sealed class EventBatch : IDisposable
{
    private readonly ArrayBufferWriter<byte> _body = new();
    private readonly Utf8JsonWriter _writer;
    private readonly List<long> _lines = [];

    public EventBatch()
    {
        _writer = new Utf8JsonWriter(_body);
        _writer.WriteStartObject();
        _writer.WriteStartArray("events");
    }

    public int Count => _lines.Count;

    public long Bytes => _writer.BytesCommitted + _writer.BytesPending;

    /// <summary>The lines of the rows, in the order of the events.</summary>
    public IReadOnlyList<long> Lines => _lines;

    public void Add(EventRow row)
    {
        _lines.Add(row.Line);
        var draft = row.Draft;
        _writer.WriteStartObject();
        Write(EventColumns.Tenant, draft.Tenant);
        Write(EventColumns.Metric, draft.Metric);
        Write(EventColumns.Customer, draft.Customer);
        Write(EventColumns.Resource, draft.Resource);
        Write(EventColumns.Quantity, draft.Quantity);
        if (draft.Timestamp is { } timestamp)
            Write(EventColumns.Timestamp, InstantText.Write(timestamp));
        Write(EventColumns.Key, draft.Key);
        Write(EventColumns.Source, EventColumns.Word(draft.Source));
        if (!string.IsNullOrEmpty(draft.Meta))
        {
            _writer.WritePropertyName(EventColumns.RestName(EventColumns.Meta));
            _writer.WriteRawValue(draft.Meta);
        }

        _writer.WriteEndObject();
    }

    /// <summary>The body. Nothing can be added behind it.</summary>
    public ReadOnlyMemory<byte> Close()
    {
        _writer.WriteEndArray();
        _writer.WriteEndObject();
        _writer.Flush();
        return _body.WrittenMemory;
    }

    public void Dispose() => _writer.Dispose();

    private void Write(string field, string? text)
    {
        if (!string.IsNullOrEmpty(text))
            _writer.WriteString(EventColumns.RestName(field), text);
    }
}
