using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Storage.Documents;

/// <summary>The form in which every engine keeps delta documents and intents: JSON with quantities and instants as text.</summary>
internal static class DeltaJson
{
    // What is computed from other members is not kept.
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        IgnoreReadOnlyProperties = true,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { ReadEarlierIntents } },
        Converters = { new QuantityConverter(), new InstantConverter(), new UsedMinutesConverter() },
    };

    public static string Write(DeltaDocument document) => JsonSerializer.Serialize(document, Options);

    public static string Write(PushIntent intent) => JsonSerializer.Serialize(intent, Options);

    /// <summary>Reads a document; its revision is the one of the row it was stored in.</summary>
    public static DeltaDocument ReadDocument(string json, long revision) => Read<DeltaDocument>(json) with { Revision = revision };

    public static PushIntent ReadIntent(string json) => Read<PushIntent>(json);

    /// <summary>
    /// Intents were once kept with the start of their period alone. They end where a month that begins there does, which only
    /// says where to look for what they told.
    /// </summary>
    private static void ReadEarlierIntents(JsonTypeInfo type)
    {
        if (type.Type != typeof(PushIntent))
            return;
        var period = type.Properties.Single(property => property.Name == "period");
        var start = type.CreateJsonPropertyInfo(typeof(Instant), "periodStart");
        start.Set = (intent, value) => period.Set!(intent, PeriodAnchor.Following((Instant)value!, (Instant)value!));
        // One of the two there must be.
        (start.IsRequired, period.IsRequired) = (false, false);
        type.OnDeserialized = intent =>
        {
            if (((PushIntent)intent).Period == default)
                throw new JsonException("A push has no period.");
        };
        type.Properties.Add(start);
    }

    private static T Read<T>(string json) => JsonSerializer.Deserialize<T>(json, Options)
        ?? throw new InvalidDataException($"A stored {typeof(T).Name} is empty.");

    private sealed class QuantityConverter : JsonConverter<Quantity>
    {
        public override Quantity Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            Quantity.Parse(reader.GetString()!);

        public override void Write(Utf8JsonWriter writer, Quantity value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.ToString());
    }

    private sealed class InstantConverter : JsonConverter<Instant>
    {
        public override Instant Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            InstantText.Read(reader.GetString(), out var instant) == InstantTextError.None
                ? instant
                : throw new JsonException("That is no instant.");

        public override void Write(Utf8JsonWriter writer, Instant value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.ToString());
    }

    /// <summary>Lengths in minutes, by turns of a gap and of a run; the first gap begins in 1970. A month of pushes stays small.</summary>
    private sealed class UsedMinutesConverter : JsonConverter<UsedMinutes>
    {
        public override UsedMinutes Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            var runs = new List<MinuteRun>();
            var end = new Instant(0);
            while (reader.Read() && reader.TokenType == JsonTokenType.Number)
            {
                var start = end + TimeSpan.FromTicks(reader.GetInt64() * TimeSpan.TicksPerMinute);
                reader.Read();
                runs.Add(new MinuteRun(start, reader.GetInt32()));
                end = runs[^1].End;
            }

            return UsedMinutes.Of(runs);
        }

        public override void Write(Utf8JsonWriter writer, UsedMinutes value, JsonSerializerOptions options)
        {
            writer.WriteStartArray();
            var end = new Instant(0);
            foreach (var run in value.Runs)
            {
                writer.WriteNumberValue((run.Start - end).Ticks / TimeSpan.TicksPerMinute);
                writer.WriteNumberValue(run.Count);
                end = run.End;
            }

            writer.WriteEndArray();
        }
    }
}
