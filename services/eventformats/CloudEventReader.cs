using System.Net.Mime;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;
using CloudNative.CloudEvents;
using CloudNative.CloudEvents.SystemTextJson;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Time;
using FieldError = StripeMeter.Metering.Events.FieldError;

namespace StripeMeter.EventFormats;

/// <summary>
/// Reads CloudEvents 1.0 as usage events. The data is an event in the shape of <c>events[]</c>; attributes give what it
/// leaves out: <c>type</c> the metric, <c>subject</c> the customer, <c>time</c> the timestamp, the extension
/// <c>tenantid</c> the tenant, and <c>source</c> with <c>id</c>, which together name a CloudEvent, the idempotency key.
/// </summary>
public static class CloudEventReader
{
    /// <summary>The extension attribute that names the tenant.</summary>
    public const string TenantAttribute = "tenantid";

    private const string Time = "time";
    private const string Data = "data";
    private const string SpecVersion = "specversion";
    private static readonly string[] RequiredAttributes = ["id", "source", "type"];
    private static readonly CloudEventAttribute[] Extensions =
        [CloudEventAttribute.CreateExtension(TenantAttribute, CloudEventAttributeType.String)];

    private static readonly JsonEventFormatter Formatter = new(new JsonSerializerOptions(), new JsonDocumentOptions { MaxDepth = MaximumDepth });

    /// <summary>How deep a CloudEvent may nest. How deep meta may is a rule of events, and far less.</summary>
    public const int MaximumDepth = 1_000;

    /// <summary>Reads an event in the JSON format of CloudEvents.</summary>
    public static ReadEvent Read(JsonElement envelope)
    {
        if (envelope.ValueKind != JsonValueKind.Object)
            return ReadEvent.Refused("event", "must be a CloudEvent, a JSON object");
        try
        {
            var error = Check(name => envelope.TryGetProperty(name, out var value) ? TextOf(value) : null, out var time);
            return error is null
                ? Read(Formatter.ConvertFromJsonElement(envelope, Extensions), time)
                : new ReadEvent(new V1.UsageEvent(), error);
        }
        catch (Exception problem) when (problem is ArgumentException or InvalidOperationException or FormatException)
        {
            return ReadEvent.Refused("event", $"is no CloudEvent: {FirstLine(problem.Message)}");
        }
    }

    /// <summary>Reads an event in binary mode.</summary>
    /// <param name="attributes">The attributes by their names, decoded.</param>
    /// <param name="contentType">Content type of the data.</param>
    /// <param name="data">The data.</param>
    public static ReadEvent Read(IReadOnlyDictionary<string, string> attributes, string? contentType, ReadOnlyMemory<byte> data)
    {
        ArgumentNullException.ThrowIfNull(attributes);
        if (Check(attributes.GetValueOrDefault, out var time) is { } error)
            return new ReadEvent(new V1.UsageEvent(), error);
        try
        {
            var cloudEvent = new CloudEvent(Extensions) { DataContentType = contentType };
            foreach (var (name, value) in attributes.Where(attribute => attribute.Key != SpecVersion))
                cloudEvent.SetAttributeFromString(name, value);
            Formatter.DecodeBinaryModeEventData(data, cloudEvent);
            return Read(cloudEvent, time);
        }
        catch (JsonException)
        {
            return ReadEvent.Refused(Data, "is not JSON");
        }
        catch (Exception problem) when (problem is ArgumentException or InvalidOperationException or FormatException)
        {
            return ReadEvent.Refused("event", $"is no CloudEvent: {FirstLine(problem.Message)}");
        }
    }

    private static ReadEvent Read(CloudEvent cloudEvent, Instant? time)
    {
        var (usage, error) = ReadData(cloudEvent);
        if (usage.TenantId.Length == 0)
            usage.TenantId = cloudEvent[TenantAttribute] as string ?? "";
        if (usage.Metric.Length == 0)
            usage.Metric = cloudEvent.Type;
        if (usage.CustomerRef.Length == 0)
            usage.CustomerRef = cloudEvent.Subject ?? "";
        if (usage.Timestamp is null && error?.Field != EventFields.Timestamp)
            usage.Timestamp = time?.ToTimestamp();
        if (usage.IdempotencyKey.Length == 0)
            usage.IdempotencyKey = KeyOf(cloudEvent);
        return new ReadEvent(usage, error);
    }

    private static ReadEvent ReadData(CloudEvent cloudEvent)
    {
        var read = cloudEvent.Data switch
        {
            JsonElement element => EventReader.ReadOne(JsonMarshal.GetRawUtf8Value(element)),
            byte[] bytes when IsJson(cloudEvent.DataContentType) => ReadJson(bytes),
            null => new ReadEvent(new V1.UsageEvent(), null),
            _ => ReadEvent.Refused(Data, $"must be JSON, not {cloudEvent.DataContentType}"),
        };
        return read.Error is { Field: "event" } error ? read with { Error = error with { Field = Data } } : read;
    }

    private static ReadEvent ReadJson(byte[] text)
    {
        try
        {
            return Utf8.IsValid(text) ? EventReader.ReadOne(text) : ReadEvent.Refused(Data, "is not valid UTF-8");
        }
        catch (JsonException)
        {
            return ReadEvent.Refused(Data, "is not JSON");
        }
    }

    /// <summary>No URI has a space in it, so no two pairs have the same key.</summary>
    private static string KeyOf(CloudEvent cloudEvent) => $"{cloudEvent.Source!.OriginalString} {cloudEvent.Id}";

    /// <summary>
    /// Checks what every CloudEvent has, so that an error names the attribute. The time is read here, because the library
    /// drops digits that it cannot hold, and those are to be refused.
    /// </summary>
    private static FieldError? Check(Func<string, string?> attribute, out Instant? time)
    {
        time = null;
        if (attribute(SpecVersion) != "1.0")
            return new FieldError(SpecVersion, "must be 1.0");
        foreach (var name in RequiredAttributes)
        {
            if (string.IsNullOrEmpty(attribute(name)))
                return new FieldError(name, "is required");
        }

        if (attribute("source")!.Any(char.IsWhiteSpace))
            return new FieldError("source", "must be a URI reference");
        if (attribute(Time) is not { } text)
            return null;
        var error = InstantText.Read(text, out var instant);
        time = instant;
        return TimeText.Reason(error) is { } reason ? new FieldError(Time, reason) : null;
    }

    private static string? TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Null => null,
        _ => "",
    };

    private static bool IsJson(string? contentType)
    {
        if (contentType is null)
            return true;
        var media = new ContentType(contentType).MediaType;
        return media == "application/json" || media.EndsWith("+json", StringComparison.Ordinal);
    }

    private static string FirstLine(string text) => text.Split('\n')[0].TrimEnd();
}
