using Stripe;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Time;
using StripeMeter.Pusher.Tests.Kit;
using StripeMeter.V1;
using Mapping = StripeMeter.V1.Mapping;

namespace StripeMeter.Pusher.Tests.Subscriptions;

/// <summary>Subscriptions of which no webhook tells.</summary>
public sealed class SubscriptionReaderTests
{
    private static readonly (string Name, string Value) Hourly = ("STRIPE_SUBSCRIPTIONS_INTERVAL_MINUTES", "60");
    private static readonly TimeSpan TenDays = TimeSpan.FromDays(10);

    [Fact]
    public async Task Subscription_ThatIsOlderThanItsMapping_IsFollowed()
    {
        await using var services = await OtherServices.StartAsync();
        await using var subject = await PusherUnderTest.StartAsync(1, services.Setting, Hourly);
        var meter = (await subject.CreateMeterAsync("calls")).Id;
        var subscription = await subject.SubscribeAsync("cus_1", (await subject.CreatePriceAsync(meter)).Id, sinceMonthStart: -TenDays);
        await subject.SubscribeAsync("cus_other", (await subject.CreatePriceAsync((await subject.CreateMeterAsync("other")).Id)).Id, sinceMonthStart: -TenDays);

        await MapAsync(subject, meter);

        await Patience.UntilEqualAsync(1, () => Task.FromResult(services.Anchors.Count));
        var (change, anchor) = (services.Anchors.Single(), subscription.BillingCycleAnchor);
        Assert.Equal(("cus_1", PeriodAnchor.At(Instant.Of(anchor))), (change.CustomerRef, new PeriodAnchor(change.Anchor.Day, change.Anchor.Minute)));
        var present = await subject.Stripe.V1.Subscriptions.GetAsync(subscription.Id);
        Assert.Equal(present.Items.Data.Single().CurrentPeriodStart, change.EffectiveTime.ToDateTime());
    }

    [Fact]
    public async Task Subscription_OfWhichTheNoticeWasLost_IsFollowedWhenThePusherStarts()
    {
        await using var services = await OtherServices.StartAsync();
        await using var subject = await PusherUnderTest.StartAsync(1, services.Setting, Hourly);
        var meter = (await subject.CreateMeterAsync("calls")).Id;
        await MapAsync(subject, meter);
        await subject.StopPushersAsync();
        var subscription = await subject.Stripe.V1.Subscriptions.CreateAsync(new SubscriptionCreateOptions
        {
            Customer = "cus_1", Items = [new SubscriptionItemOptions { Price = (await subject.CreatePriceAsync(meter)).Id }],
        });

        await subject.StartPusherAsync(services.Setting, Hourly);

        await Patience.UntilEqualAsync(1, () => Task.FromResult(services.Anchors.Count));
        // It began within the period, so nothing may be stamped before.
        Assert.Equal(Instant.Of(subscription.Created), (await subject.DocumentAsync(meter, "cus_1"))!.BilledFrom);
    }

    [Fact]
    public async Task Customer_OfSeveralSubscriptions_StaysWithTheOneItIsAt()
    {
        await using var services = await OtherServices.StartAsync();
        await using var subject = await PusherUnderTest.StartAsync(1, services.Setting, Hourly);
        var meter = (await subject.CreateMeterAsync("calls")).Id;
        var price = (await subject.CreatePriceAsync(meter)).Id;
        await subject.SubscribeAsync("cus_1", price, sinceMonthStart: -TenDays);
        await subject.SubscribeAsync("cus_1", price, sinceMonthStart: -2 * TenDays);
        var mapping = await MapAsync(subject, meter);
        await Patience.UntilEqualAsync(1, () => Task.FromResult(services.Anchors.Count));

        var reads = ReadsOf(subject);
        mapping = await subject.Mappings.UpdateMappingAsync(new UpdateMappingRequest { Mapping = mapping });
        await subject.SubscribeAsync("cus_2", price, sinceMonthStart: -TenDays);
        await subject.Mappings.UpdateMappingAsync(new UpdateMappingRequest { Mapping = mapping });

        await Patience.UntilEqualAsync("cus_1 cus_2", () => Task.FromResult(string.Join(' ', services.Anchors.Select(change => change.CustomerRef))));
        Assert.True(ReadsOf(subject) > reads);
    }

    private static int ReadsOf(PusherUnderTest subject) => subject.Double.Requests.Count(request => request.Path == "/v1/subscriptions" && request.Method == "GET");

    private static async Task<Mapping> MapAsync(PusherUnderTest subject, string meter) => await subject.Mappings.CreateMappingAsync(new CreateMappingRequest
    {
        Mapping = new Mapping
        {
            TenantId = PusherUnderTest.Tenant, Metric = "calls", Aggregation = Aggregation.Sum, StripeAccount = "default", MeterId = meter, Active = true,
        },
    });
}
