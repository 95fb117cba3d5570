using System.Buffers;
using System.Text.Json;
using StripeMeter.LocalDapr.Actors;
using StripeMeter.LocalDapr.Transport;

namespace StripeMeter.LocalDapr.Reminders;

/// <summary>The body with which a reminder or a timer is registered.</summary>
internal sealed record AlarmRequest
{
    public string DueTime { get; private init; } = "";

    public string Period { get; private init; } = "";

    public string Ttl { get; private init; } = "";

    /// <summary>JSON as it came; empty when there was none.</summary>
    public byte[] Data { get; private init; } = [];

    /// <summary>The method a timer calls.</summary>
    public string Callback { get; private init; } = "";

    public bool Overwrite { get; private init; } = true;

    public FailurePolicy OnFailure { get; private init; } = FailurePolicy.Default;

    /// <exception cref="JsonException">It is not an object of this kind.</exception>
    public static AlarmRequest Parse(ReadOnlyMemory<byte> body)
    {
        using var document = JsonDocument.Parse(body);
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object)
            throw new JsonException("the body is not a JSON object");
        return new AlarmRequest
        {
            DueTime = Text(root, "dueTime"),
            Period = Text(root, "period"),
            Ttl = Text(root, "ttl"),
            Callback = Text(root, "callback"),
            Data = root.TryGetProperty("data", out var data) && data.ValueKind != JsonValueKind.Null
                ? JsonSerializer.SerializeToUtf8Bytes(data) : [],
            Overwrite = !root.TryGetProperty("overwrite", out var overwrite) || overwrite.ValueKind != JsonValueKind.False,
            OnFailure = root.TryGetProperty("failurePolicy", out var policy) || root.TryGetProperty("failure_policy", out policy)
                ? ReadPolicy(policy) : FailurePolicy.Default,
        };
    }

    private static string Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static FailurePolicy ReadPolicy(JsonElement policy)
    {
        if (policy.ValueKind != JsonValueKind.Object)
            return FailurePolicy.Default;
        if (policy.TryGetProperty("drop", out _))
            return FailurePolicy.Drop;
        if (!policy.TryGetProperty("constant", out var constant) || constant.ValueKind != JsonValueKind.Object)
            return FailurePolicy.Default;
        var retries = constant.TryGetProperty("maxRetries", out var number) && number.TryGetInt32(out var value) ? value
            : FailurePolicy.Default.MaximumRetries;
        var interval = Text(constant, "interval");
        return new FailurePolicy(retries, interval.Length == 0 ? FailurePolicy.Default.Interval : DaprDuration.Parse(interval));
    }

    public Reminder ToReminder(ActorKey actor, string name, DateTimeOffset now, bool strict) => new()
    {
        Actor = actor,
        Name = name,
        DueTime = DueTime,
        Period = Period,
        Ttl = Ttl,
        Data = Data,
        OnFailure = OnFailure,
        Schedule = Schedule.Parse(DueTime, Period, Ttl, now, strict),
    };

    /// <summary>What the app receives each time the timer fires.</summary>
    public ReadOnlyMemory<byte> WriteTimerCallback()
    {
        var buffer = new ArrayBufferWriter<byte>(Data.Length + 128);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("callback"u8, Callback);
        WriteData(json, Data);
        json.WriteString("dueTime"u8, DueTime);
        json.WriteString("period"u8, Period);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    /// <summary>A reminder as the API shows it.</summary>
    public static PooledBuffer Write(Reminder reminder)
    {
        var buffer = new PooledBuffer(reminder.Data.Length + 256);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("actorID"u8, reminder.Actor.Id);
        json.WriteString("actorType"u8, reminder.Actor.Type);
        WriteData(json, reminder.Data);
        json.WriteString("dueTime"u8, reminder.DueTime);
        json.WriteString("period"u8, reminder.Period);
        if (reminder.Ttl.Length > 0)
            json.WriteString("ttl"u8, reminder.Ttl);
        json.WriteEndObject();
        json.Flush();
        return buffer;
    }

    private static void WriteData(Utf8JsonWriter json, byte[] data)
    {
        if (data.Length == 0)
            return;
        json.WritePropertyName("data"u8);
        json.WriteRawValue(data, skipInputValidation: true);
    }
}
