namespace StripeMeter.Defaults.Telemetry;

/// <summary>How log lines are written.</summary>
public enum LogFormat
{
    /// <summary>A line for people.</summary>
    Text,

    /// <summary>A JSON object in a line, with every value by its name.</summary>
    Json,
}
