namespace StripeMeter.EventFiles;

/// <summary>Reads the events of a file, row by row.</summary>
public static class EventFile
{
    /// <summary>Reads to the end of the stream, holding one row at a time.</summary>
    /// <exception cref="EventFileException">Nothing further can be read: the header is missing, or a row is too long.</exception>
    public static IAsyncEnumerable<EventRow> ReadAsync(
        Stream content, EventFileFormat format, EventFileDefaults defaults, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(content);
        ArgumentNullException.ThrowIfNull(defaults);
        return format switch
        {
            EventFileFormat.Csv => CsvRows.ReadAsync(content, defaults, cancellation),
            EventFileFormat.JsonLines => JsonLineRows.ReadAsync(content, defaults, cancellation),
            _ => throw new ArgumentOutOfRangeException(nameof(format)),
        };
    }
}
