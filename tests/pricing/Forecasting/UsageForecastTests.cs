using CsCheck;
using StripeMeter.Metering.Mappings;
using StripeMeter.Metering.Pricing.Forecasting;
using StripeMeter.Metering.Quantities;
using StripeMeter.Pricing.Tests.Kit;

namespace StripeMeter.Pricing.Tests.Forecasting;

public sealed class UsageForecastTests
{
    private static readonly Quantity[] Week = [Make.Q("10"), Make.Q("0"), Make.Q("20.5")];

    [Theory]
    [InlineData(Aggregation.Sum, "100", "125.416666666666", "151.25")]
    [InlineData(Aggregation.Count, "100", "125.416666666666", "151.25")]
    [InlineData(Aggregation.Max, "100", "100", "100")]
    [InlineData(Aggregation.Min, "0", "10.166666666666", "20.5")]
    [InlineData(Aggregation.Last, "0", "10.166666666666", "20.5")]
    public void Of_TwoDaysAndAHalf_IsLikeTheDaysBefore(Aggregation aggregation, string low, string expected, string high)
    {
        var forecast = UsageForecast.Of(Make.Q("100"), aggregation, Week, TimeSpan.FromDays(2.5));

        Assert.Equal((low, expected, high, 3), (forecast.Low.ToString(), forecast.Expected.ToString(), forecast.High.ToString(), forecast.Days));
    }

    [Fact]
    public void Of_NoDaysOrNoTimeLeft_IsWhatIsCounted()
    {
        var soFar = Make.Q("7.5");

        Assert.Equal(new ForecastRange(soFar, soFar, soFar, 0), UsageForecast.Of(soFar, Aggregation.Sum, [], TimeSpan.FromDays(3)));
        Assert.Equal(new ForecastRange(soFar, soFar, soFar, 3), UsageForecast.Of(soFar, Aggregation.Sum, Week, TimeSpan.Zero));
    }

    [Fact]
    public void Of_AnyDays_LiesWithinItsRange() =>
        Gen.Select(Gen.Long[0, 1_000_000_000_000].Array[1, 7], Gen.Long[0, 1_000_000_000_000], Gen.Int[1, 60], Gen.Enum<Aggregation>()).Sample((days, soFar, left, aggregation) =>
        {
            var forecast = UsageForecast.Of(
                Quantity.FromInteger(soFar), aggregation, [.. days.Select(Quantity.FromInteger)], TimeSpan.FromHours(left));

            Assert.True(forecast.Low <= forecast.Expected && forecast.Expected <= forecast.High);
            Assert.True(aggregation is not (Aggregation.Sum or Aggregation.Count or Aggregation.Max) || forecast.Low >= Quantity.FromInteger(soFar));
        });

    [Fact]
    public void Of_HugeSums_AreExact()
    {
        var day = Make.Q("123456789012345.123456789012");

        Assert.Equal(
            "3703703670370353.70370367036",
            UsageForecast.Of(Quantity.Zero, Aggregation.Sum, [day], TimeSpan.FromDays(30)).Expected.ToString());
    }
}
