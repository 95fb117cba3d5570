using StripeMeter.LocalDapr.Actors;

namespace StripeMeter.LocalDapr.Reminders;

/// <summary>A durable alarm of an actor.</summary>
internal sealed record Reminder
{
    public required ActorKey Actor { get; init; }

    public required string Name { get; init; }

    /// <summary>Due time, period and ttl as they were registered.</summary>
    public required string DueTime { get; init; }

    public required string Period { get; init; }

    public required string Ttl { get; init; }

    /// <summary>JSON as it was registered; empty when nothing was.</summary>
    public required byte[] Data { get; init; }

    public required FailurePolicy OnFailure { get; init; }

    public required Schedule Schedule { get; init; }

    /// <summary>Tells a reminder from one registered later under the same name.</summary>
    public long Revision { get; init; }
}

/// <summary>What happens when a fire fails: so many more tries, so far apart, then the next tick.</summary>
internal sealed record FailurePolicy(int MaximumRetries, TimeSpan Interval)
{
    /// <summary>The scheduler's default: 3 tries, 1 s apart.</summary>
    public static FailurePolicy Default { get; } = new(3, TimeSpan.FromSeconds(1));

    public static FailurePolicy Drop { get; } = new(0, TimeSpan.Zero);

    public override string ToString() => $"{MaximumRetries}x{Interval.Ticks}";

    public static FailurePolicy Parse(string text)
    {
        var parts = text.Split('x');
        return new FailurePolicy(int.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture),
            TimeSpan.FromTicks(long.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture)));
    }
}
