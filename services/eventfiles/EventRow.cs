using StripeMeter.Metering.Events;

namespace StripeMeter.EventFiles;

/// <summary>A row of a file: a draft of an event, or why it cannot be read.</summary>
/// <param name="Line">The line on which the row begins, from 1.</param>
/// <param name="Number">The number of the row among the rows that hold something, from 1. A CSV header is none.</param>
/// <param name="Draft">What could be read.</param>
/// <param name="Problem">The first thing that could not, with the field in the spelling of the protocol. Null: all could.</param>
public readonly record struct EventRow(long Line, long Number, EventDraft Draft, FieldError? Problem);

/// <summary>What rows do not say themselves.</summary>
public sealed record EventFileDefaults
{
    /// <summary>Tenant of rows without one. A row of another tenant is refused if <see cref="OnlyTenant"/>.</summary>
    public string? Tenant { get; init; }

    /// <summary>Whether rows may name no other tenant than <see cref="Tenant"/>.</summary>
    public bool OnlyTenant { get; init; }

    /// <summary>Metric of rows without one.</summary>
    public string? Metric { get; init; }

    /// <summary>Customer of rows without one.</summary>
    public string? Customer { get; init; }

    /// <summary>Row n without a key gets the key <c>prefix:n</c>. Empty: its key is derived from its event.</summary>
    public string KeyPrefix { get; init; } = "";

    /// <summary>Source of rows without one.</summary>
    public EventSource Source { get; init; } = EventSource.Import;

    /// <summary>Bytes of a row at most. A longer one is refused; in a CSV file nothing behind it can be read.</summary>
    public int MaximumRowBytes { get; init; } = 64 * 1024;
}

/// <summary>A file cannot be read any further. The rows before it stand.</summary>
public sealed class EventFileException : Exception
{
    public EventFileException()
    {
    }

    public EventFileException(string message) : base(message)
    {
    }

    public EventFileException(string message, Exception cause) : base(message, cause)
    {
    }
}
