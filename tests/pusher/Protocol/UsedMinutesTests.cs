using CsCheck;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Time;

namespace StripeMeter.Pusher.Tests.Protocol;

public sealed class UsedMinutesTests
{
    private const int Range = 40;

    /// <summary>Any minutes in any order: the runs say the same as a set of them.</summary>
    [Fact]
    public void With_AnyMinutes_KnowsThemAsASetWould() => Gen.Int[0, Range - 1].HashSet[0, Range].Sample(chosen =>
    {
        var used = chosen.Aggregate(UsedMinutes.None, (minutes, minute) => minutes.With(Minute(minute)));

        foreach (var minute in Enumerable.Range(0, Range))
        {
            Assert.Equal(chosen.Contains(minute), used.Contains(Minute(minute)));
            Assert.Equal(Newest(chosen, minute), used.NewestFree(Minute(minute), Minute(5)));
            Assert.Equal(Oldest(chosen, minute), used.OldestFreeBehind(Minute(minute), Minute(35)));
        }

        Assert.Equal(chosen.Count, used.Runs.Sum(run => run.Count));
        Assert.All(used.Runs.Zip(used.Runs.Skip(1)), pair => Assert.True(pair.First.End < pair.Second.Start));
    });

    [Fact]
    public void Since_AnInstant_ForgetsOnlyRunsThatEndedBefore()
    {
        var used = UsedMinutes.None.With(Minute(0)).With(Minute(2)).With(Minute(3));

        Assert.Equal([new MinuteRun(Minute(2), 2)], used.Since(Minute(3)).Runs);
        Assert.Same(used, used.Since(Minute(0)));
        Assert.Empty(used.Since(Minute(4)).Runs);
    }

    private static Instant? Newest(HashSet<int> used, int top) => Enumerable.Range(0, top + 1).Reverse()
        .Where(minute => minute >= 5 && !used.Contains(minute)).Select(minute => (Instant?)Minute(minute)).FirstOrDefault();

    private static Instant? Oldest(HashSet<int> used, int top) => Enumerable.Range(top + 1, Range)
        .Where(minute => minute <= 35 && !used.Contains(minute)).Select(minute => (Instant?)Minute(minute)).FirstOrDefault();

    private static Instant Minute(int number) => Instant.OfDate(2026, 3, 14) + TimeSpan.FromMinutes(number);
}
