using CsCheck;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Tests.Time;

public sealed class InstantTests
{
    private static readonly Gen<Instant> AnyInstant = Gen.Long[Instant.Minimum.Ticks, Instant.Maximum.Ticks].Select(ticks => new Instant(ticks));

    [Fact]
    public void Limits_Always_AreThoseOfTheCalendar()
    {
        Assert.Equal(DateTime.MinValue, Instant.Minimum.ToUtc());
        Assert.Equal(DateTime.MaxValue, Instant.Maximum.ToUtc());
    }

    [Fact]
    public void Of_AnyMoment_ComesBackInUtc() => AnyInstant.Sample(instant =>
        Instant.Of(instant.ToOffset()) == instant && instant.ToOffset().Offset == TimeSpan.Zero && instant.ToUtc().Kind == DateTimeKind.Utc);

    [Fact]
    public void ToUnixSeconds_AnyInstant_RoundsDown() => AnyInstant.Sample(instant =>
        instant.ToUnixSeconds() == instant.ToOffset().ToUnixTimeSeconds() && Instant.FromUnixSeconds(instant.ToUnixSeconds()) <= instant);

    [Fact]
    public void ToMinute_AnyInstant_IsItsMinutesStart() => AnyInstant.Sample(instant =>
    {
        var (moment, minute) = (instant.ToUtc(), instant.ToMinute().ToUtc());
        return minute == new DateTime(moment.Year, moment.Month, moment.Day, moment.Hour, moment.Minute, 0, DateTimeKind.Utc);
    });

    [Fact]
    public void Arithmetic_AnySpan_GoesThereAndBack() => Gen.Select(AnyInstant, AnyInstant).Sample((left, right) =>
        right + (left - right) == left && left - (left - right) == right);

    [Fact]
    public void Arithmetic_BeyondTheLimits_Throws()
    {
        Assert.Throws<OverflowException>(() => new Instant(long.MaxValue) + TimeSpan.FromTicks(1));
        Assert.Throws<OverflowException>(() => Instant.FromUnixSeconds(long.MaxValue));
    }

    [Fact]
    public void Order_AnyTwo_IsThatOfTime() => Gen.Select(AnyInstant, AnyInstant).Sample((left, right) =>
    {
        var order = left.ToUtc().CompareTo(right.ToUtc());
        Assert.Equal(order, left.CompareTo(right));
        Assert.Equal([order < 0, order <= 0, order > 0, order >= 0], new[] { left < right, left <= right, left > right, left >= right });
        Assert.Equal(order <= 0 ? (left, right) : (right, left), (Instant.Min(left, right), Instant.Max(left, right)));
    });
}
