using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace StripeMeter.Metering.Events;

/// <summary>
/// Writes a JSON object so that equal objects have equal text: members in the order of their names (by UTF-16 code
/// unit), no white space, strings escaped only where JSON demands it. Numbers keep their text, so none is rounded.
/// </summary>
public static class CanonicalJson
{
    private static readonly JsonWriterOptions WriterOptions = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    /// <summary>Deepest nesting read.</summary>
    public const int MaximumDepth = 32;

    /// <exception cref="ArgumentException">The element is not an object, or names a member twice.</exception>
    public static string Write(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw new ArgumentException("A JSON object is needed.", nameof(element));
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, WriterOptions))
            Write(writer, element);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void Write(Utf8JsonWriter writer, JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                WriteObject(writer, element);
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in element.EnumerateArray())
                    Write(writer, item);
                writer.WriteEndArray();
                break;
            case JsonValueKind.Number:
                writer.WriteRawValue(element.GetRawText(), skipInputValidation: true);
                break;
            default:
                element.WriteTo(writer);
                break;
        }
    }

    private static void WriteObject(Utf8JsonWriter writer, JsonElement element)
    {
        var members = element.EnumerateObject().ToArray();
        Array.Sort(members, (left, right) => string.CompareOrdinal(left.Name, right.Name));
        writer.WriteStartObject();
        for (var index = 0; index < members.Length; index++)
        {
            if (index > 0 && members[index].NameEquals(members[index - 1].Name))
                throw new ArgumentException($"The member '{members[index].Name}' is there twice.", nameof(element));
            writer.WritePropertyName(members[index].Name);
            Write(writer, members[index].Value);
        }

        writer.WriteEndObject();
    }
}
