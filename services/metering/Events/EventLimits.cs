namespace StripeMeter.Metering.Events;

/// <summary>Bounds of an event's fields.</summary>
public sealed record EventLimits
{
    /// <summary>Characters.</summary>
    public int MetricLength { get; init; } = 100;

    /// <summary>Characters.</summary>
    public int CustomerLength { get; init; } = 255;

    /// <summary>Characters.</summary>
    public int ResourceLength { get; init; } = 255;

    /// <summary>Characters. Extended derived keys are our own and may be longer.</summary>
    public int KeyLength { get; init; } = 255;

    /// <summary>Bytes of UTF-8 of the meta object as sent.</summary>
    public int MetaBytes { get; init; } = 4096;

    /// <summary>How far ahead of the clock a timestamp may be.</summary>
    public TimeSpan FutureTolerance { get; init; } = TimeSpan.FromHours(1);
}
