using System.Numerics;
using CsCheck;
using StripeMeter.Metering.Pricing;
using StripeMeter.Metering.Quantities;
using Xunit;

namespace StripeMeter.Gateway.Tests.Pricing;

public sealed class LinePricingTests
{
    [Theory]
    [InlineData("30", "0.05", 2)] // 1.5 cents: half goes up
    [InlineData("29", "0.05", 1)] // 1.45
    [InlineData("31", "3.6", 112)] // 111.6, from a published invoice
    [InlineData("2000", "4", 8_000)]
    [InlineData("1234.5", "0.2", 247)] // 246.9
    [InlineData("0", "7", 0)]
    [InlineData("0.3", "1", 0)]
    [InlineData("0.5", "1", 1)]
    [InlineData("-0.5", "1", -1)] // away from zero
    [InlineData("-0.4", "1", 0)]
    [InlineData("18059974", "0.0003", 5_418)] // 5417.9922
    [InlineData("999999999999.999999", "0.000000000001", 1)] // 0.999999999999999999
    [InlineData("1", "0.000000000001", 0)]
    [InlineData("123456789012345.123456789012", "1000", 123_456_789_012_345_123)] // …123.456789012
    public void Total_OfALine_IsRoundedOnceHalfAwayFromZero(string quantity, string unitAmount, long expected) =>
        Assert.Equal(expected, LinePricing.Total(Quantity.Parse(quantity), Amount(unitAmount)));

    [Fact]
    public void Total_ThatDoesNotFit_IsAnError() =>
        Assert.Throws<OverflowException>(() => LinePricing.Total(Quantity.Parse("99999999999999999999"), 1m));

    [Fact]
    public void Total_FinerUnitAmount_IsAnError() =>
        Assert.Throws<ArgumentException>(() => LinePricing.Total(Quantity.One, 0.0000000000001m));

    [Fact]
    public void Total_AnyLine_IsTheNearestMinorUnit() =>
        Gen.Select(Gen.Long[0, 1_000_000_000_000_000_000], Gen.Long[0, 9_999_999_999], Gen.Int[0, 12]).Sample((units, mantissa, scale) =>
        {
            var unitAmount = new decimal(unchecked((int)mantissa), (int)(mantissa >> 32), 0, false, (byte)scale);
            var total = LinePricing.Total(new Quantity(units), unitAmount);

            // |product - total| is at most half a minor unit, and half only rounds up.
            var one = BigInteger.Pow(10, 12 + scale);
            var distance = ((BigInteger)total * one) - ((BigInteger)units * mantissa);
            Assert.True(distance * 2 > -one && distance * 2 <= one);
        });

    [Theory]
    [InlineData("usd", 2, 1)]
    [InlineData("EUR", 2, 1)]
    [InlineData("jpy", 0, 1)]
    [InlineData("KRW", 0, 1)]
    [InlineData("kwd", 3, 10)]
    [InlineData("tnd", 3, 10)]
    [InlineData("isk", 2, 100)]
    [InlineData("ugx", 2, 100)]
    public void Currency_HasStripesMinorUnits(string code, int minorDigits, int chargeStep)
    {
        var currency = new Currency(code);

        Assert.Equal((code.ToLowerInvariant(), minorDigits, chargeStep), (currency.Code, currency.MinorDigits, currency.ChargeStep));
    }

    [Theory]
    [InlineData("")]
    [InlineData("us")]
    [InlineData("us1")]
    [InlineData("dollar")]
    public void Currency_OfAnythingElse_IsAnError(string code) => Assert.Throws<ArgumentException>(() => new Currency(code));

    [Theory]
    [InlineData(247, "usd", "2.47")]
    [InlineData(100, "usd", "1.00")]
    [InlineData(-5, "usd", "-0.05")]
    [InlineData(247, "jpy", "247")]
    [InlineData(1234567, "kwd", "1234.567")]
    public void AmountText_OfALine_HasTheDecimalsOfItsCurrency(long minorUnits, string currency, string expected) =>
        Assert.Equal(expected, AmountText.Of(minorUnits, new Currency(currency)));

    [Theory]
    [InlineData("0.2", "usd", "0.002")]
    [InlineData("100", "usd", "1")]
    [InlineData("0.000000000001", "kwd", "0.000000000000001")]
    [InlineData("7", "jpy", "7")]
    [InlineData("12.50", "usd", "0.125")]
    public void AmountText_OfAUnit_HasTheDecimalsItNeeds(string minorUnits, string currency, string expected) =>
        Assert.Equal(expected, AmountText.OfUnit(Amount(minorUnits), new Currency(currency)));

    private static decimal Amount(string text) => decimal.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
}
