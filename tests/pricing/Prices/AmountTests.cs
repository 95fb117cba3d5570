using StripeMeter.Metering.Pricing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Pricing.Tests.Kit;

namespace StripeMeter.Pricing.Tests.Prices;

public sealed class AmountTests
{
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
        Assert.True(Currency.IsKnown(code));
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
        Assert.Equal(expected, AmountText.OfUnit(Make.D(minorUnits), new Currency(currency)));

    [Theory]
    [InlineData("31", "3.6", "usd", "1.116")]
    [InlineData("1", "5", "usd", "0.05")]
    [InlineData("-1", "5", "usd", "-0.05")]
    [InlineData("3", "100", "usd", "3")]
    [InlineData("0", "1", "kwd", "0")]
    [InlineData("1.5", "7", "jpy", "10.5")]
    [InlineData("0.000000000001", "0.000000000001", "kwd", "0.000000000000000000000000001")]
    public void AmountText_BeforeRounding_HasEveryDecimal(string quantity, string unitAmount, string currency, string expected) =>
        Assert.Equal(expected, AmountText.Exact(ExactAmount.Product(Make.Q(quantity), Make.D(unitAmount)), new Currency(currency)));

    [Fact]
    public void Product_FinerUnitAmount_IsAnError() =>
        Assert.Throws<ArgumentException>(() => ExactAmount.Product(Quantity.One, 0.0000000000001m));

    [Theory]
    [InlineData("0.5", 1)]
    [InlineData("-0.5", -1)] // away from zero
    [InlineData("-0.4", 0)]
    public void Round_OfHalf_GoesAwayFromZero(string minorUnits, long expected) =>
        Assert.Equal(expected, ExactAmount.Of(Make.D(minorUnits)).Round());

    [Theory]
    [InlineData(1, 3, 33)]
    [InlineData(2, 3, 67)]
    [InlineData(1, 8, 13)] // 12.5
    public void Round_OfAShare_IsRoundedOnce(long part, long whole, long expected) =>
        Assert.Equal(expected, ExactAmount.Of(100).Round(part, whole));
}
