using StripeMeter.Metering.Events;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Tests.Events;

public sealed class DerivedKeyTests
{
    private static readonly TenantId Tenant = new("123e4567-e89b-12d3-a456-426614174000");

    private static readonly UsageEvent Usage = new(
        "api_calls", "cus_ABC123", "", Quantity.One, Instant.OfDate(2025, 1, 16) + new TimeSpan(14, 30, 0), "", EventSource.Http);

    // The values that existing clients derive for themselves.
    [Theory]
    [InlineData("", "evt_a68c871f39c57142")]
    [InlineData("default", "evt_a68c871f39c57142")]
    [InlineData("resource_1", "evt_20c111646953f517")]
    public void Of_AKnownEvent_IsTheKnownKey(string resource, string expected) =>
        Assert.Equal(expected, DerivedKey.Of(Tenant, Usage with { Resource = resource }));

    [Fact]
    public void Of_DigitsFinerThanMilliseconds_AreCutOff() => Assert.Equal(
        DerivedKey.Of(Tenant, Usage), DerivedKey.Of(Tenant, Usage with { Timestamp = new Instant(Usage.Timestamp.Ticks + 9_999) }));

    [Fact]
    public void Of_WhatIsNotInTheKey_ChangesNothing() => Assert.Equal(
        DerivedKey.Of(Tenant, Usage),
        DerivedKey.Of(Tenant, Usage with { Quantity = Quantity.FromInteger(7), Meta = """{"a":1}""", Source = EventSource.Sdk }));

    [Fact]
    public void Of_WhatIsInTheKey_ChangesIt()
    {
        string[] keys =
        [
            DerivedKey.Of(Tenant, Usage), DerivedKey.Of(new TenantId("other"), Usage), DerivedKey.Of(Tenant, Usage with { Metric = "m" }),
            DerivedKey.Of(Tenant, Usage with { Customer = "c" }), DerivedKey.Of(Tenant, Usage with { Resource = "r" }),
            DerivedKey.Of(Tenant, Usage with { Timestamp = new Instant(Usage.Timestamp.Ticks + 10_000) }),
        ];

        Assert.Equal(keys.Length, keys.Distinct().Count());
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData("", true)]
    [InlineData("evt_a68c871f39c57142", true)]
    [InlineData("evt_a68c871f39c5714", false)]
    [InlineData("evt_a68c871f39c571422", false)]
    [InlineData("EVT_a68c871f39c57142", false)]
    [InlineData("order-17", false)]
    public void MayBe_AKey_KnowsTheForm(string? key, bool expected) => Assert.Equal(expected, DerivedKey.MayBe(key));

    [Fact]
    public void Extend_TwoBodies_AreTwoKeysThatAreNoDerivedOnes()
    {
        var key = DerivedKey.Of(Tenant, Usage);
        var first = DerivedKey.Extend(key, Fingerprint.Of(Usage));
        var second = DerivedKey.Extend(key, Fingerprint.Of(Usage with { Quantity = Quantity.FromInteger(2) }));

        Assert.NotEqual(first, second);
        Assert.StartsWith(key + "_", first);
        Assert.False(DerivedKey.MayBe(first));
    }
}
