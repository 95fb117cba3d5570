namespace StripeMeter.Cli.Printing;

/// <summary>How a command answers.</summary>
internal enum OutputFormat
{
    /// <summary>For people.</summary>
    Table,

    /// <summary>For programs: one JSON document, as the API gives it where it gives one.</summary>
    Json,
}
