using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;

namespace StripeMeter.Metering.Tests.Counting;

public sealed class RecordRangeTests
{
    [Fact]
    public void New_PositionsThatFollowEachOther_HaveFirstAndLast()
    {
        var range = new RecordRange("log", [At(4), At(5), At(6)]);

        Assert.Equal((4, 6), (range.First, range.Last));
    }

    [Theory]
    [InlineData()]
    [InlineData(1L, 3L)]
    [InlineData(2L, 1L)]
    [InlineData(1L, 1L)]
    public void New_EmptyOrWithAGap_Throws(params long[] positions) =>
        Assert.Throws<ArgumentException>(() => new RecordRange("log", Array.ConvertAll(positions, At)));

    private static Countable At(long position) => new(position, RecordKind.Junk, "", "", default, default, "", false);
}
