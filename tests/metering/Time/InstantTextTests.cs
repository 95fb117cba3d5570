using CsCheck;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Tests.Time;

public sealed class InstantTextTests
{
    private static readonly Gen<Instant> AnyInstant = Gen.Long[Instant.Minimum.Ticks, Instant.Maximum.Ticks].Select(ticks => new Instant(ticks));

    [Fact]
    public void Read_WhatWriteWrote_IsTheSame() => AnyInstant.Sample(instant =>
        InstantText.Read(InstantText.Write(instant), out var read) == InstantTextError.None && read == instant);

    [Fact]
    public void Read_AnyOffset_IsTheSameInstant() => Gen.Select(AnyInstant, Gen.Int[-1439, 1439]).Sample((instant, offset) =>
    {
        var local = new Instant(instant.Ticks + (offset * TimeSpan.TicksPerMinute));
        if (local < Instant.Minimum || local > Instant.Maximum)
            return;
        var zone = FormattableString.Invariant($"{(offset < 0 ? '-' : '+')}{Math.Abs(offset) / 60:00}:{Math.Abs(offset) % 60:00}");

        Assert.Equal(InstantTextError.None, InstantText.Read(InstantText.Write(local).Replace("Z", zone, StringComparison.Ordinal), out var read));
        Assert.Equal(instant, read);
    });

    [Theory]
    [InlineData("2026-01-31T23:59:59Z", "2026-01-31T23:59:59Z")]
    [InlineData("2026-01-31t23:59:59z", "2026-01-31T23:59:59Z")]
    [InlineData("2026-01-31 23:59:59Z", "2026-01-31T23:59:59Z")]
    [InlineData("2026-01-31T23:59:59.1234567Z", "2026-01-31T23:59:59.1234567Z")]
    [InlineData("2026-01-31T23:59:59.120Z", "2026-01-31T23:59:59.12Z")]
    [InlineData("2026-01-31T23:59:59.123456700000Z", "2026-01-31T23:59:59.1234567Z")]
    [InlineData("2026-02-01T01:29:59+01:30", "2026-01-31T23:59:59Z")]
    [InlineData("2026-01-31T23:59:59-00:00", "2026-01-31T23:59:59Z")]
    [InlineData("2026-01-31T00:00:00-23:59", "2026-01-31T23:59:00Z")]
    [InlineData("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z")]
    [InlineData("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z")]
    [InlineData("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.9999999Z")]
    public void Read_Rfc3339_IsTheInstant(string text, string expected)
    {
        Assert.Equal(InstantTextError.None, InstantText.Read(text, out var instant));
        Assert.Equal(expected, instant.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("now")]
    [InlineData("1738367999")]
    [InlineData("2026-01-31")]
    [InlineData("2026-01-31T23:59Z")]
    [InlineData("2026-1-31T23:59:59Z")]
    [InlineData("2026-01-31_23:59:59Z")]
    [InlineData("2026-02-29T00:00:00Z")]
    [InlineData("2026-13-01T00:00:00Z")]
    [InlineData("2026-00-01T00:00:00Z")]
    [InlineData("2026-01-32T00:00:00Z")]
    [InlineData("0000-01-01T00:00:00Z")]
    [InlineData("2026-01-31T24:00:00Z")]
    [InlineData("2026-01-31T23:60:00Z")]
    [InlineData("2026-12-31T23:59:60Z")]
    [InlineData("2026-01-31T23:59:59.Z")]
    [InlineData("2026-01-31T23:59:59,5Z")]
    [InlineData("2026-01-31T23:59:59 Z")]
    [InlineData("2026-01-31T23:59:59ZZ")]
    [InlineData("2026-01-31T23:59:59+0100")]
    [InlineData("2026-01-31T23:59:59+01")]
    [InlineData("2026-01-31T23:59:59+24:00")]
    [InlineData("2026-01-31T23:59:59+01:60")]
    [InlineData("2026-01-31T23:59:59+ 1:00")]
    [InlineData("2026-01-31T23:59:59 01:00")]
    [InlineData("2026-01-31T23:59:59 Europe/Berlin")]
    [InlineData("0001-01-01T00:00:00+00:01")]
    [InlineData("9999-12-31T23:59:59-00:01")]
    [InlineData("２０２６-01-31T23:59:59Z")]
    public void Read_NoDateTime_SaysSo(string text) =>
        Assert.Equal(InstantTextError.NotADateTime, InstantText.Read(text, out _));

    [Theory]
    [InlineData("2026-01-31T23:59:59")]
    [InlineData("2026-01-31T23:59:59.5")]
    public void Read_WithoutZone_SaysSo(string text) => Assert.Equal(InstantTextError.NoZone, InstantText.Read(text, out _));

    [Theory]
    [InlineData("2026-01-31T23:59:59.00000001Z")]
    [InlineData("2026-01-31T23:59:59.123456789Z")]
    public void Read_FinerThanCanBeKept_SaysSo(string text) => Assert.Equal(InstantTextError.TooFine, InstantText.Read(text, out _));

    [Fact]
    public void Read_AnyText_NeverThrows() =>
        Gen.String[Gen.Char["0123456789-:TZ.+ "], 0, 45].Sample(text => InstantText.Read(text, out _) >= 0);

    [Fact]
    public void Read_AlmostAnInstant_NeverThrows() => Gen.Select(AnyInstant, Gen.Int[0, 18], Gen.Char).Sample((instant, place, character) =>
    {
        var text = InstantText.Write(instant).ToCharArray();
        text[place] = character;
        return InstantText.Read(text, out _) >= 0;
    });

    [Theory]
    [InlineData("2025-01-16T14:30:00Z", "2025-01-16T14:30:00.000Z")]
    [InlineData("2025-01-16T14:30:00.1239999Z", "2025-01-16T14:30:00.123Z")]
    [InlineData("1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.999Z")]
    public void WriteMilliseconds_FinerDigits_AreCutOff(string text, string expected)
    {
        InstantText.Read(text, out var instant);

        Assert.Equal(expected, InstantText.WriteMilliseconds(instant));
    }
}
