using System.Text.Json;
using System.Text.Json.Serialization;

namespace StripeMeter.Gateway.Requests;

/// <summary>A decimal of the services, written as a JSON number digit for digit.</summary>
/// <param name="Text">Plain decimal text.</param>
[JsonConverter(typeof(Converter))]
public readonly record struct ExactNumber(string Text)
{
    /// <summary>Null for the empty text, with which the services say that there is no number.</summary>
    public static ExactNumber? OfText(string text) => string.IsNullOrEmpty(text) ? null : new ExactNumber(text);

    private sealed class Converter : JsonConverter<ExactNumber>
    {
        public override ExactNumber Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            using var document = JsonDocument.ParseValue(ref reader);
            return new ExactNumber(document.RootElement.GetRawText());
        }

        public override void Write(Utf8JsonWriter writer, ExactNumber value, JsonSerializerOptions options) =>
            writer.WriteRawValue(value.Text);
    }
}
