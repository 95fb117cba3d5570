using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Metering.Tests.Ledger;

public sealed class LatenessWindowsTests
{
    private static readonly TenantId Acme = new("acme");
    private static readonly TenantId Other = new("other");

    [Fact]
    public void Of_MetricsByNameAndTenant_TheNearestWins()
    {
        var windows = new LatenessWindows(48, "calls=72, acme/calls=0,a=b=1");

        Assert.Null(windows.Of(Acme, "calls"));
        Assert.Equal(TimeSpan.FromHours(72), windows.Of(Other, "calls"));
        Assert.Equal(TimeSpan.FromHours(1), windows.Of(Other, "a=b"));
        Assert.Equal(TimeSpan.FromHours(48), windows.Of(Acme, "seats"));
    }

    [Fact]
    public void Of_NoWindowAtAll_IsNever() => Assert.Null(new LatenessWindows(0, "").Of(Acme, "calls"));

    [Theory]
    [InlineData("calls")]
    [InlineData("=4")]
    [InlineData("calls=-1")]
    [InlineData("calls=x")]
    public void New_TextThatCannotBeRead_IsRefused(string text) => Assert.Throws<FormatException>(() => new LatenessWindows(48, text));
}
