using System.Globalization;
using System.Numerics;
using CsCheck;
using StripeMeter.Metering.Quantities;

namespace StripeMeter.Metering.Tests.Quantities;

public sealed class QuantityTests
{
    private static readonly Int128 TwentySixDigits = Int128.Parse("99999999999999999999999999999999999999", CultureInfo.InvariantCulture);

    private static readonly Gen<Quantity> AnyQuantity =
        from high in Gen.ULong
        from low in Gen.ULong
        select new Quantity(new Int128(high, low));

    private static readonly Gen<Quantity> AnySum = AnyQuantity.Select(any => new Quantity(any.Units % TwentySixDigits));

    [Fact]
    public void Parse_WhatToStringWrote_IsTheSame() => AnySum.Sample(quantity => Quantity.Parse(quantity.ToString()) == quantity);

    [Fact]
    public void ToString_AnyQuantity_IsThePlainDecimal() => AnyQuantity.Sample(quantity =>
    {
        var magnitude = BigInteger.Abs((BigInteger)quantity.Units).ToString(CultureInfo.InvariantCulture).PadLeft(13, '0');
        var plain = (magnitude[..^12] + "." + magnitude[^12..]).TrimEnd('0').TrimEnd('.');
        return quantity.ToString() == (quantity.Units < 0 ? "-" : "") + plain;
    });

    [Theory]
    [InlineData("0", "0")]
    [InlineData("0.30", "0.3")]
    [InlineData("-0.3", "-0.3")]
    [InlineData("999999999999.999999", "999999999999.999999")]
    [InlineData("0.000000000001", "0.000000000001")]
    [InlineData("1e3", "1000")]
    public void ToString_Parsed_HasNoExponentNorTrailingZeros(string text, string expected) =>
        Assert.Equal(expected, Quantity.Parse(text).ToString());

    [Fact]
    public void ToString_SmallestThereIs_IsExact() =>
        Assert.Equal("-170141183460469231731687303.715884105728", new Quantity(Int128.MinValue).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("one")]
    [InlineData("100000000000000000000000000")]
    [InlineData("0.0000000000001")]
    public void Parse_NoQuantity_Throws(string text) => Assert.Throws<FormatException>(() => Quantity.Parse(text));

    [Fact]
    public void FromBytes_WhatToBytesWrote_IsTheSame() =>
        AnyQuantity.Sample(quantity => Quantity.FromBytes(quantity.ToBytes()) == quantity);

    [Fact]
    public void ToBytes_AnyQuantity_IsTwosComplementMostSignificantFirst() => AnyQuantity.Sample(quantity =>
        new BigInteger(quantity.ToBytes(), isUnsigned: false, isBigEndian: true) == (BigInteger)quantity.Units);

    [Theory]
    [InlineData(0)]
    [InlineData(15)]
    [InlineData(17)]
    public void FromBytes_NotSixteen_Throws(int length) =>
        Assert.Throws<ArgumentException>(() => Quantity.FromBytes(new byte[length]));

    [Fact]
    public void WriteBytes_TooLittleRoom_Throws() =>
        Assert.Throws<ArgumentException>(() => Quantity.One.WriteBytes(new byte[15]));

    [Fact]
    public void Add_TenthAndTwoTenths_IsThreeTenths() =>
        Assert.Equal(Quantity.Parse("0.3"), Quantity.Parse("0.1") + Quantity.Parse("0.2"));

    [Fact]
    public void Arithmetic_AnySums_IsExactOrThrows() => Gen.Select(AnyQuantity, AnyQuantity).Sample((left, right) =>
    {
        AssertExact(() => left + right, (BigInteger)left.Units + (BigInteger)right.Units);
        AssertExact(() => left - right, (BigInteger)left.Units - (BigInteger)right.Units);
        AssertExact(() => -left, -(BigInteger)left.Units);
    });

    [Fact]
    public void Arithmetic_BeyondTheLimits_Throws()
    {
        Assert.Throws<OverflowException>(() => new Quantity(Int128.MaxValue) + new Quantity(1));
        Assert.Throws<OverflowException>(() => new Quantity(Int128.MinValue) - new Quantity(1));
        Assert.Throws<OverflowException>(() => -new Quantity(Int128.MinValue));
    }

    [Fact]
    public void FromInteger_AnyLong_IsThatMany() =>
        Gen.Long.Sample(value => Quantity.FromInteger(value).ToString() == value.ToString(CultureInfo.InvariantCulture));

    [Fact]
    public void Order_AnyTwo_IsThatOfTheirUnits() => Gen.Select(AnyQuantity, AnyQuantity).Sample((left, right) =>
    {
        var order = left.Units.CompareTo(right.Units);
        Assert.Equal(order, left.CompareTo(right));
        Assert.Equal([order < 0, order <= 0, order > 0, order >= 0], new[] { left < right, left <= right, left > right, left >= right });
        Assert.Equal(order <= 0 ? (left, right) : (right, left), (Quantity.Min(left, right), Quantity.Max(left, right)));
    });

    private static void AssertExact(Func<Quantity> compute, BigInteger expected)
    {
        if (expected >= (BigInteger)Int128.MinValue && expected <= (BigInteger)Int128.MaxValue)
            Assert.Equal(expected, (BigInteger)compute().Units);
        else
            Assert.Throws<OverflowException>(() => compute());
    }
}
