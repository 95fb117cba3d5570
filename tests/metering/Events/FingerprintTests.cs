using CsCheck;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Tests.Events;

public sealed class FingerprintTests
{
    private static readonly UsageEvent Usage = new(
        "api_calls", "cus_ABC123", "gpu", Quantity.Parse("1.5"), Instant.OfDate(2025, 1, 16), """{"a":1}""", EventSource.Http);

    // Fingerprints are kept for ever: this value may never change.
    [Fact]
    public void Of_AKnownEvent_IsTheKnownValue() =>
        Assert.Equal("4b75378bec4409622e0e078ce72cd94e782def18bf39ad77b0568336608c2260", Fingerprint.Of(Usage).ToString());

    [Fact]
    public void Of_AnotherSource_IsTheSame() =>
        Assert.Equal(Fingerprint.Of(Usage), Fingerprint.Of(Usage with { Source = EventSource.Import }));

    [Fact]
    public void Of_AnyOtherField_Differs()
    {
        UsageEvent[] others =
        [
            Usage, Usage with { Metric = "api_call" }, Usage with { Customer = "cus_ABC12" }, Usage with { Resource = "" },
            Usage with { Quantity = Quantity.Parse("1.500000000001") }, Usage with { Timestamp = new Instant(Usage.Timestamp.Ticks + 1) },
            Usage with { Meta = "" },
        ];

        Assert.Equal(others.Length, others.Select(Fingerprint.Of).Distinct().Count());
    }

    [Fact]
    public void Of_TextsThatRunTogether_Differs()
    {
        var text = Gen.String[Gen.Char["ab"], 0, 3];
        var body = Gen.Select(text, text, text, text);

        Gen.Select(body, body).Sample((left, right) => (left == right) == (Of(left) == Of(right)));

        static Fingerprint Of((string, string, string, string) texts) => Fingerprint.Of(
            Usage with { Metric = texts.Item1, Customer = texts.Item2, Resource = texts.Item3, Meta = texts.Item4 });
    }

    [Fact]
    public void FromBytes_WhatToBytesWrote_IsTheSame() => Gen.Byte.Array[Fingerprint.Length].Sample(bytes =>
    {
        var fingerprint = Fingerprint.FromBytes(bytes);
        Assert.Equal(bytes, fingerprint.ToBytes());
        Assert.Equal(Convert.ToHexStringLower(bytes), fingerprint.ToString());
    });

    [Fact]
    public void FromBytes_NotThirtyTwo_Throws() => Assert.Throws<ArgumentException>(() => Fingerprint.FromBytes(new byte[31]));
}
