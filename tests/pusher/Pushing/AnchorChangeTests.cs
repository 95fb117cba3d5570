using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Time;
using StripeMeter.Pusher.Tests.Kit;

namespace StripeMeter.Pusher.Tests.Pushing;

/// <summary>A customer is anchored elsewhere when usage of the running period was told already.</summary>
public sealed class AnchorChangeTests
{
    [Fact]
    public async Task Change_AfterUsageWasTold_TellsNothingTwice()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var mapping = await subject.MapAsync("calls");
        await subject.CountAsync("calls", "cus_1", "10");
        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "10");
        var (at, told) = (Cut, subject.Double.ReadEvents().Count);

        await subject.CutAsync("calls", "cus_1", at, before: "0", after: "10");

        await Patience.UntilAsync(async () => await DocumentAsync() is { Periods.Count: 2, BehindSince: null, CutFrom: null });
        var document = (await DocumentAsync())!;
        Assert.Equal([("0", "0"), ("10", "10")], document.Periods.Select(delta => (delta.Target.ToString(), delta.Accepted.ToString())));
        Assert.Equal(told, subject.Double.ReadEvents().Count);

        await subject.CountBehindAsync("calls", "cus_1", at, "12");
        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "12");
        Assert.Equal("12", await subject.ToldAsync(mapping.MeterId, "cus_1", new BillingPeriod(at, PusherUnderTest.ThisMonth.End)));

        Task<DeltaDocument?> DocumentAsync() => subject.DocumentAsync(mapping.MeterId, "cus_1");
    }

    [Fact]
    public async Task Change_AfterUsageWasTold_CorrectsWhatBelongsElsewhere()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var mapping = await subject.MapAsync("calls");
        await subject.CountAsync("calls", "cus_1", "10");
        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "10");
        var at = Cut;

        await subject.CutAsync("calls", "cus_1", at, before: "4", after: "6");

        var month = PusherUnderTest.ThisMonth;
        await Patience.UntilEqualAsync("4", () => subject.ToldAsync(mapping.MeterId, "cus_1", month with { End = at }));
        await Patience.UntilEqualAsync("6", () => subject.ToldAsync(mapping.MeterId, "cus_1", month with { Start = at }));
        await Patience.UntilAsync(async () => (await subject.DocumentAsync(mapping.MeterId, "cus_1"))!.BehindSince is null);
    }

    private static Instant Cut => (Instant.Of(PusherUnderTest.Clock.GetUtcNow()) - TimeSpan.FromMinutes(31)).ToMinute();
}
