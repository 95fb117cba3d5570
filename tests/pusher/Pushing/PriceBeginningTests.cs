using StripeMeter.Pusher.Tests.Kit;

namespace StripeMeter.Pusher.Tests.Pushing;

/// <summary>A price that began within the period bills nothing that is stamped before.</summary>
public sealed class PriceBeginningTests
{
    private static readonly TimeSpan Since = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Before = TimeSpan.FromMinutes(25);

    [Fact]
    public async Task Push_OfUsageFromBeforeThePriceBegan_IsStampedWithinIt()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var meter = await subject.CreateMeterAsync("calls");
        // A while ago, so that there is more than one minute for pushes since.
        subject.DoubleTime.Shift = -Since;
        var price = await subject.CreatePriceAsync(meter.Id);
        subject.DoubleTime.Shift = TimeSpan.Zero;
        await subject.CreateMappingAsync("calls", mapping => mapping.PriceId = price.Id);
        Assert.InRange(price.Created, PusherUnderTest.ThisMonth.Start.ToUtc() + Since, PusherUnderTest.Clock.GetUtcNow().UtcDateTime - Since);

        await subject.CountAsync("calls", "cus_1", "7", ago: Before);
        await subject.UntilToldAsync(meter.Id, "cus_1", "7");
        await subject.CountAsync("calls", "cus_1", "1", ago: Before);
        await subject.UntilToldAsync(meter.Id, "cus_1", "8");

        Assert.All(subject.Double.ReadEvents(), taken => Assert.InRange(taken.Timestamp, price.Created, PusherUnderTest.Clock.GetUtcNow()));
    }
}
