namespace StripeMeter.EventFiles;

/// <summary>How events stand in a file.</summary>
public enum EventFileFormat
{
    /// <summary>RFC 4180, in UTF-8, the names of the columns in the first row.</summary>
    Csv = 1,

    /// <summary>One JSON object a line, in UTF-8, with the members of an event of <c>POST /v1/events/ingest</c>.</summary>
    JsonLines = 2,
}

/// <summary>Names of formats.</summary>
public static class EventFileFormats
{
    /// <summary>The format that the ending of a file's name tells; null if it tells none.</summary>
    public static EventFileFormat? OfFileName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Path.GetExtension(name).ToLowerInvariant() switch
        {
            ".csv" => EventFileFormat.Csv,
            ".jsonl" or ".ndjson" or ".json" => EventFileFormat.JsonLines,
            _ => null,
        };
    }
}
