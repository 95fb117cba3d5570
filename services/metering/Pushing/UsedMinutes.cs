using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Pushing;

/// <summary>
/// Minutes in which a document has stamped intents: each intent has one of its own, so that Stripe's summary of that
/// minute is the evidence for it. Kept as runs, in order, and only as long as Stripe takes timestamps that old.
/// </summary>
public sealed class UsedMinutes
{
    private UsedMinutes(IReadOnlyList<MinuteRun> runs) => Runs = runs;

    public static UsedMinutes None { get; } = new([]);

    /// <summary>In order, apart from each other by at least a minute.</summary>
    public IReadOnlyList<MinuteRun> Runs { get; }

    /// <summary>Takes back what <see cref="Runs"/> gave.</summary>
    public static UsedMinutes Of(IReadOnlyList<MinuteRun> runs) => new(runs);

    public bool Contains(Instant minute) => RunOf(minute) is not null;

    /// <summary>Adds a minute that is free.</summary>
    public UsedMinutes With(Instant minute)
    {
        var runs = new List<MinuteRun>(Runs.Count + 1);
        var added = new MinuteRun(minute, 1);
        foreach (var run in Runs)
        {
            if (run.End == added.Start)
                added = new MinuteRun(run.Start, run.Count + added.Count);
            else if (run.Start == added.End)
                added = added with { Count = added.Count + run.Count };
            else
                runs.Add(run);
        }

        runs.Insert(runs.FindLastIndex(run => run.Start < added.Start) + 1, added);
        return new UsedMinutes(runs);
    }

    /// <summary>The newest free minute from <paramref name="first"/> to <paramref name="top"/>; null if all are used.</summary>
    public Instant? NewestFree(Instant top, Instant first)
    {
        var free = RunOf(top) is { } run ? run.Start - MinuteRun.Minute : top;
        return free >= first ? free : null;
    }

    /// <summary>The oldest free minute behind <paramref name="top"/> up to <paramref name="last"/>; null if all are used.</summary>
    public Instant? OldestFreeBehind(Instant top, Instant last)
    {
        var next = top + MinuteRun.Minute;
        var free = RunOf(next) is { } run ? run.End : next;
        return free <= last ? free : null;
    }

    /// <summary>Forgets minutes before an instant.</summary>
    public UsedMinutes Since(Instant oldest) =>
        Runs.Count == 0 || Runs[0].End > oldest ? this : new UsedMinutes([.. Runs.Where(run => run.End > oldest)]);

    private MinuteRun? RunOf(Instant minute)
    {
        for (var index = Runs.Count - 1; index >= 0; index--)
        {
            if (minute >= Runs[index].Start)
                return minute < Runs[index].End ? Runs[index] : null;
        }

        return null;
    }
}

/// <summary>Minutes that follow each other.</summary>
public readonly record struct MinuteRun(Instant Start, int Count)
{
    internal static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    /// <summary>The first minute behind the run.</summary>
    public Instant End => Start + TimeSpan.FromTicks(Count * TimeSpan.TicksPerMinute);
}
