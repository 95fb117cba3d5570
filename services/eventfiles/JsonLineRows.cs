using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Unicode;

namespace StripeMeter.EventFiles;

/// <summary>Rows of a JSON Lines file. Empty lines are passed over.</summary>
internal static class JsonLineRows
{
    private const string WholeRow = "event";
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 64 };

    public static async IAsyncEnumerable<EventRow> ReadAsync(
        Stream content, EventFileDefaults defaults, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var reader = new RowReader(defaults);
        var (line, number) = (0L, 0L);
        await foreach (var text in LinesAsync(content, defaults.MaximumRowBytes, cancellation).ConfigureAwait(false))
        {
            line++;
            if (text is { IsTooLong: false, Bytes.IsEmpty: true })
                continue;
            number++;
            reader.Begin();
            if (text.IsTooLong)
                reader.Refuse(WholeRow, $"must have at most {defaults.MaximumRowBytes} bytes");
            else
                Read(text.Bytes, reader);
            yield return reader.End(line, number);
        }
    }

    private static void Read(ReadOnlyMemory<byte> text, RowReader reader)
    {
        if (!Utf8.IsValid(text.Span))
        {
            reader.Refuse(WholeRow, "must be UTF-8");
            return;
        }

        try
        {
            using var document = JsonDocument.Parse(text, Options);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                ReadMembers(document.RootElement, reader);
            else
                reader.Refuse(WholeRow, "must be a JSON object");
        }
        catch (JsonException problem)
        {
            reader.Refuse(WholeRow, $"is not JSON: byte {problem.BytePositionInLine + 1}");
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, written as an escape.
            reader.Refuse(WholeRow, "must be well-formed text");
        }
    }

    private static void ReadMembers(JsonElement row, RowReader reader)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var member in row.EnumerateObject())
        {
            if (EventColumns.FieldOf(member.Name) is not { } field)
                continue;
            if (!seen.Add(field))
                reader.Refuse(field, "is there twice");
            else if (member.Value.ValueKind != JsonValueKind.Null)
                ReadMember(field, member.Value, reader);
        }
    }

    private static void ReadMember(string field, JsonElement value, RowReader reader)
    {
        if (field == EventColumns.Meta)
        {
            if (value.ValueKind == JsonValueKind.Object)
                reader.Take(field, value.GetRawText());
            else
                reader.Refuse(field, "must be a JSON object");
        }
        else if (value.ValueKind == JsonValueKind.String)
        {
            reader.Take(field, value.GetString()!);
        }
        else if (field == EventColumns.Quantity && value.ValueKind == JsonValueKind.Number)
        {
            reader.Take(field, value.GetRawText());
        }
        else
        {
            reader.Refuse(field, field == EventColumns.Quantity ? "must be a number, or a decimal as a string" : "must be a string");
        }
    }

    /// <summary>The lines of a stream, of which none is held beyond the limit.</summary>
    private static async IAsyncEnumerable<Line> LinesAsync(
        Stream content, int maximumBytes, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var pipe = PipeReader.Create(content, new StreamPipeReaderOptions(leaveOpen: true));
        var (first, isTooLong) = (true, false);
        while (true)
        {
            var read = await pipe.ReadAsync(cancellation).ConfigureAwait(false);
            var buffer = read.Buffer;
            while (buffer.PositionOf((byte)'\n') is { } end)
            {
                yield return LineOf(buffer.Slice(0, end), maximumBytes, ref isTooLong, ref first);
                buffer = buffer.Slice(buffer.GetPosition(1, end));
            }

            if (read.IsCompleted)
            {
                if (buffer.Length > 0 || isTooLong)
                    yield return LineOf(buffer, maximumBytes, ref isTooLong, ref first);
                break;
            }

            // What is too long is let go of as it comes.
            isTooLong |= buffer.Length > maximumBytes;
            pipe.AdvanceTo(isTooLong ? buffer.End : buffer.Start, buffer.End);
        }

        await pipe.CompleteAsync().ConfigureAwait(false);
    }

    private static Line LineOf(ReadOnlySequence<byte> bytes, int maximumBytes, ref bool isTooLong, ref bool first)
    {
        if (isTooLong || bytes.Length > maximumBytes)
        {
            isTooLong = false;
            first = false;
            return new Line(default, IsTooLong: true);
        }

        var text = bytes.ToArray().AsMemory();
        if (first && text.Span.StartsWith("\uFEFF"u8))
            text = text[3..];
        first = false;
        return new Line(Trim(text), IsTooLong: false);
    }

    private static ReadOnlyMemory<byte> Trim(Memory<byte> text)
    {
        var trimmed = text.Span.Trim(" \t\r"u8);
        return trimmed.IsEmpty ? default : text.Slice(text.Span.IndexOf(trimmed), trimmed.Length);
    }

    private readonly record struct Line(ReadOnlyMemory<byte> Bytes, bool IsTooLong);
}
