using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace StripeMeter.Defaults.Telemetry;

/// <summary>Writes each entry as one line, without what <see cref="LogRedaction"/> takes out, exceptions included.</summary>
internal sealed class RedactedConsole(RedactedConsoleOptions options, TimeProvider clock) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "redacted";
    private const string Template = "{OriginalFormat}";
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var line = options.Format == LogFormat.Json ? ToJson(logEntry) : ToText(logEntry);
        textWriter.WriteLine(LogRedaction.Redact(line));
    }

    private string ToText<TState>(in LogEntry<TState> entry)
    {
        var line = new StringBuilder()
            .Append(clock.GetUtcNow().ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture)).Append(' ').Append(Word(entry.LogLevel))
            .Append(": ").Append(entry.Category).Append('[').Append(entry.EventId.Id).Append("] ")
            .Append(entry.Formatter(entry.State, entry.Exception));
        if (entry.Exception is not null)
            line.Append(' ').Append(entry.Exception);
        return line.Replace("\r", "").Replace('\n', ' ').ToString();
    }

    private string ToJson<TState>(in LogEntry<TState> entry)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Relaxed))
        {
            json.WriteStartObject();
            json.WriteString("time", clock.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture));
            json.WriteString("level", Word(entry.LogLevel));
            json.WriteString("category", entry.Category);
            json.WriteNumber("event", entry.EventId.Id);
            json.WriteString("message", entry.Formatter(entry.State, entry.Exception));
            if (entry.Exception is not null)
                json.WriteString("exception", entry.Exception.ToString());
            if (System.Diagnostics.Activity.Current is { } activity)
                json.WriteString("traceId", activity.TraceId.ToHexString());
            if (entry.State is IEnumerable<KeyValuePair<string, object?>> values)
                WriteValues(json, values);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    private static void WriteValues(Utf8JsonWriter json, IEnumerable<KeyValuePair<string, object?>> values)
    {
        json.WriteStartObject("values");
        foreach (var (name, value) in values)
        {
            if (name != Template)
                json.WriteString(name, Convert.ToString(value, CultureInfo.InvariantCulture));
        }

        json.WriteEndObject();
    }

    private static string Word(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "error",
        _ => "critical",
    };
}

/// <summary>How the console is written to.</summary>
internal sealed record RedactedConsoleOptions(LogFormat Format);

/// <summary>Registers the console.</summary>
internal static class RedactedConsoleRegistration
{
    public static void AddRedactedConsole(this ILoggingBuilder logging, LogFormat format)
    {
        logging.Services.AddSingleton(new RedactedConsoleOptions(format));
        logging.AddConsole(console => console.FormatterName = RedactedConsole.FormatterName);
        logging.AddConsoleFormatter<RedactedConsole, ConsoleFormatterOptions>();
    }
}
