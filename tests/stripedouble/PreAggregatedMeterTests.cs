using StripeMeter.StripeDouble.Tests.Kit;

namespace StripeMeter.StripeDouble.Tests;

public sealed class PreAggregatedMeterTests
{
    [Theory]
    [InlineData("hour", 2)]
    [InlineData("day", 1)]
    public async Task Create_SeveralEventsInAWindow_OnlyTheOneReceivedLastCounts(string window, int windows)
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync(window: window);
        var hour = stripe.Now.Date.AddHours(9);
        await stripe.SendAsync("100", at: hour.AddMinutes(50));
        await stripe.SendAsync("7", at: hour.AddMinutes(10));
        await stripe.SendAsync("1000", at: hour.AddMinutes(70));
        await stripe.SendAsync("5", at: hour.AddMinutes(60));
        Assert.Equal(windows == 2 ? 12 : 5, await stripe.TotalAsync(meter));
    }

    [Fact]
    public async Task List_RangeThatCutsAWindow_CountsWhatSurvivedWhereItIsStamped()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync(window: "hour");
        var hour = stripe.Now.Date.AddHours(9);
        await stripe.SendAsync("100", at: hour.AddMinutes(10));
        await stripe.SendAsync("7", at: hour.AddMinutes(50));
        Assert.Empty(await stripe.SummariesAsync(meter, hour, hour.AddMinutes(30)));
        Assert.Equal(7, (await stripe.SummariesAsync(meter, hour.AddMinutes(30), hour.AddHours(1))).Single().AggregatedValue);
    }

    [Fact]
    public async Task List_CountMeterWithWindows_CountsOnePerWindow()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync(formula: "count", window: "hour");
        for (var minute = 0; minute < 120; minute += 20)
            await stripe.SendAsync("1", at: stripe.Now.Date.AddMinutes(minute));
        Assert.Equal(2, await stripe.TotalAsync(meter));
    }
}
