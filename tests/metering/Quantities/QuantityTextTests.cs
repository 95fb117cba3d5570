using System.Globalization;
using System.Numerics;
using CsCheck;
using StripeMeter.Metering.Quantities;

namespace StripeMeter.Metering.Tests.Quantities;

public sealed class QuantityTextTests
{
    [Theory]
    [InlineData("1", "1")]
    [InlineData("001.500", "1.5")]
    [InlineData("-2.5", "-2.5")]
    [InlineData("-0", "0")]
    [InlineData("0e9", "0")]
    [InlineData("0.0000000000000000000", "0")]
    [InlineData("1E2", "100")]
    [InlineData("1e+2", "100")]
    [InlineData("1.25e1", "12.5")]
    [InlineData("125e-2", "1.25")]
    [InlineData("0.001e3", "1")]
    [InlineData("1e-12", "0.000000000001")]
    [InlineData("1e14", "100000000000000")]
    [InlineData("999999999999999.999999999999", "999999999999999.999999999999")]
    [InlineData("1.0000000000000000000000000", "1")]
    [InlineData("10000000000000000000000000e-24", "10")]
    public void Read_ADecimal_IsExact(string text, string expected)
    {
        Assert.Equal(QuantityTextError.None, QuantityText.Read(text, out var quantity));
        Assert.Equal(expected, quantity.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData(" 1")]
    [InlineData("1 ")]
    [InlineData("+1")]
    [InlineData("--1")]
    [InlineData("-")]
    [InlineData(".5")]
    [InlineData("5.")]
    [InlineData("1.2.3")]
    [InlineData("1,5")]
    [InlineData("1_000")]
    [InlineData("1e")]
    [InlineData("1e+")]
    [InlineData("1e1.5")]
    [InlineData("e5")]
    [InlineData("0x10")]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("٣")]
    [InlineData("１")]
    public void Read_NoDecimal_SaysSo(string text) =>
        Assert.Equal(QuantityTextError.NotADecimal, QuantityText.Read(text, out _));

    [Theory]
    [InlineData("1000000000000000")]
    [InlineData("1e15")]
    [InlineData("-1e15")]
    [InlineData("1e1000")]
    [InlineData("1e999999999999999999999")]
    [InlineData("0.1e16")]
    public void Read_MoreThanFifteenIntegerDigits_SaysSo(string text) =>
        Assert.Equal(QuantityTextError.TooManyIntegerDigits, QuantityText.Read(text, out _));

    [Theory]
    [InlineData("0.0000000000001")]
    [InlineData("1e-13")]
    [InlineData("1.0000000000001")]
    [InlineData("1e-999999999999999999999")]
    public void Read_MoreThanTwelveDecimals_SaysSo(string text) =>
        Assert.Equal(QuantityTextError.TooManyDecimals, QuantityText.Read(text, out _));

    [Fact]
    public void Read_TheLongestText_IsReadAndOneLongerIsNot()
    {
        Assert.Equal(QuantityTextError.None, QuantityText.Read("1." + new string('0', 98), out _));
        Assert.Equal(QuantityTextError.NotADecimal, QuantityText.Read("1." + new string('0', 99), out _));
    }

    /// <summary>However a number is written, it is the same exact number, or is refused for what it is.</summary>
    [Fact]
    public void Read_AnyWayToWriteANumber_AgreesWithExactArithmetic()
    {
        var digits = Gen.Char['0', '9'].Array[1, 20].Select(all => new string(all));
        var texts = Gen.Select(Gen.Bool, digits, Gen.Bool, digits, Gen.Int[-40, 40]);

        texts.Sample((negative, integer, hasFraction, fraction, exponent) =>
        {
            var decimals = hasFraction ? fraction : "";
            var text = $"{(negative ? "-" : "")}{integer}{(hasFraction ? "." + fraction : "")}e{exponent.ToString(CultureInfo.InvariantCulture)}";
            // The number times 10^100, which is whole whatever the exponent.
            var value = BigInteger.Parse(integer + decimals, CultureInfo.InvariantCulture) * BigInteger.Pow(10, 100 + exponent - decimals.Length);

            var error = QuantityText.Read(text, out var quantity);

            Assert.Equal(Judge(value), error);
            if (error == QuantityTextError.None)
                Assert.Equal(value / BigInteger.Pow(10, 88) * (negative ? -1 : 1), (BigInteger)quantity.Units);
        });

        static QuantityTextError Judge(BigInteger value) =>
            value >= BigInteger.Pow(10, 115) ? QuantityTextError.TooManyIntegerDigits
            : value % BigInteger.Pow(10, 88) != 0 ? QuantityTextError.TooManyDecimals
            : QuantityTextError.None;
    }

    [Fact]
    public void Read_AnyText_NeverThrows() =>
        Gen.String[Gen.Char["0123456789.-+eE x"], 0, 110].Sample(text => QuantityText.Read(text, out _) >= 0);
}
