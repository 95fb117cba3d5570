using CsCheck;
using System.Text;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Text;

namespace StripeMeter.Metering.Tests.Text;

public sealed class PrintableTextTests
{
    [Theory]
    [InlineData("", true)]
    [InlineData("a b|c/日本😀", true)]
    [InlineData("\u00A0", true)]
    [InlineData("\t", false)]
    [InlineData("a\r\n", false)]
    [InlineData("\u0085", false)]
    [InlineData("\u2028", false)]
    [InlineData("\u2029", false)]
    public void IsPrintable_Text_IsWithoutControlCharacters(string text, bool expected) =>
        Assert.Equal(expected, PrintableText.IsPrintable(text));

    // Lone surrogates cannot be written as attribute values.
    [Fact]
    public void IsPrintable_LoneSurrogates_AreNot() =>
        Assert.All(["\uD83D", "\uDE00", "\uDE00\uD83D", "a\uD83Db"], text => Assert.False(PrintableText.IsPrintable(text)));

    [Fact]
    public void IsPrintable_WhatIsPrintable_SurvivesUtf8() => Gen.String.Sample(text =>
        !PrintableText.IsPrintable(text) || Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)) == text);

    [Fact]
    public void TenantId_NotOneTo128PrintableCharacters_Throws()
    {
        Assert.All(["", new string('t', 129), "a\nb"], value => Assert.Throws<ArgumentException>(() => new TenantId(value)));
        Assert.Equal(new string('t', 128), new TenantId(new string('t', 128)).Value);
    }
}
