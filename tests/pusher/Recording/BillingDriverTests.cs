using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Stripe;
using StripeMeter.Defaults.Wire;
using StripeMeter.Pusher.Tests.Kit;
using StripeMeter.StripeDriver;
using StripeMeter.V1;

namespace StripeMeter.Pusher.Tests.Recording;

/// <summary>Usage that is counted elsewhere and told through the delta ledger.</summary>
public sealed class BillingDriverTests
{
    private static readonly Timestamp Month = PusherUnderTest.ThisMonth.Start.ToTimestamp();

    [Fact]
    public async Task Record_OfTotals_TellsTheDifferences()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var meter = await subject.CreateMeterAsync("seats");
        var target = new DriverTarget { Mode = DriverMode.Live, MeterId = meter.Id, StripeCustomer = "cus_1", PeriodStart = Month };

        var first = await RecordAsync(subject, target, "10.5", "a");
        await subject.UntilToldAsync(meter.Id, "cus_1", "10.5");
        var again = await RecordAsync(subject, target, "10.5", "a");
        await RecordAsync(subject, target, "4", "b");
        await subject.UntilToldAsync(meter.Id, "cus_1", "4");
        var late = await RecordAsync(subject, target, "10.5", "a");

        Assert.Equal((false, true, true), (first.Already, again.Already, late.Already));
        Assert.Equal(("4", "4"), (late.Target, late.Accepted));
        Assert.Equal(["10.5", "-6.5"], subject.Double.ReadEvents().Select(taken => taken.Value));
        var summary = await subject.Driver.GetUsageSummaryAsync(new GetUsageSummaryRequest { TenantId = PusherUnderTest.Tenant, Target = target });
        Assert.Equal(("4", "4", "4"), (summary.Quantity, summary.Target, summary.Accepted));
    }

    [Fact]
    public async Task Record_OfWhatWasRefusedTooOften_TriesAgain()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var meter = await subject.CreateMeterAsync("seats");
        var target = new DriverTarget { Mode = DriverMode.Live, MeterId = meter.Id, StripeCustomer = "cus_1", PeriodStart = Month };
        await RecordAsync(subject, target, "4", "a");
        await subject.UntilToldAsync(meter.Id, "cus_1", "4");
        await subject.ParkAsync(meter.Id, "cus_1");

        await RecordAsync(subject, target, "10", "b");

        await subject.UntilToldAsync(meter.Id, "cus_1", "10");
    }

    [Fact]
    public async Task Library_OfTheDriver_TellsAndReadsWithEveryDigit()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var meter = await subject.CreateMeterAsync("seats");
        var driver = new StripeBillingDriverImpl(subject.Calls, PusherUnderTest.Tenant);
        var month = UsageTarget.OfMeter(BillingMode.Live, meter.Id, "cus_1", Month.ToDateTimeOffset());

        var first = await driver.RecordUsageAsync(month, 123456789.000001m, "a");
        await subject.UntilToldAsync(meter.Id, "cus_1", "123456789.000001");
        var again = await driver.RecordUsageAsync(month, 123456789.000001m, "a");
        var summary = await driver.GetUsageSummaryAsync(month);

        Assert.Equal((123456789.000001m, false, true), (first.Target, first.Already, again.Already));
        Assert.Equal((123456789.000001m, 123456789.000001m), (summary.Quantity, summary.Accepted));
        Assert.Equal(Month.ToDateTimeOffset(), summary.PeriodStart);
    }

    [Fact]
    public async Task Record_ForASubscriptionItem_ReachesItsMeterAndCustomer()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var meter = await subject.CreateMeterAsync("seats");
        var price = await subject.Stripe.V1.Prices.CreateAsync(new PriceCreateOptions
        {
            Currency = "usd", UnitAmount = 5, ProductData = new PriceProductDataOptions { Name = "Seats" },
            Recurring = new PriceRecurringOptions { Interval = "month", UsageType = "metered", Meter = meter.Id },
        });
        var subscription = await subject.Stripe.V1.Subscriptions.CreateAsync(new SubscriptionCreateOptions
        {
            Customer = "cus_7", Items = [new SubscriptionItemOptions { Price = price.Id }],
        });
        var target = new DriverTarget { Mode = DriverMode.Live, SubscriptionItemId = subscription.Items.Data[0].Id, PeriodStart = Month };

        await RecordAsync(subject, target, "3", "a");

        await subject.UntilToldAsync(meter.Id, "cus_7", "3");
    }

    [Fact]
    public async Task Record_AnotherCallUnderTheSameKey_IsRefused()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var meter = await subject.CreateMeterAsync("seats");
        var target = new DriverTarget { Mode = DriverMode.Live, MeterId = meter.Id, StripeCustomer = "cus_1", PeriodStart = Month };
        await RecordAsync(subject, target, "10", "a");

        await RefusedAsync(() => RecordAsync(subject, target, "11", "a"), StatusCode.AlreadyExists, "another call");
        target.StripeCustomer = "cus_2";
        await RefusedAsync(() => RecordAsync(subject, target, "10", "a"), StatusCode.AlreadyExists, "another call");
    }

    [Fact]
    public async Task Record_OntoAMeterThatAMappingFeeds_IsRefused()
    {
        await using var account = await TestAccount.StartAsync();
        await using var subject = await PusherUnderTest.StartAsync(1, account.Settings);
        var shadow = await account.CreateMeterAsync("shadow_calls");
        var mapping = await subject.MapAsync("api_calls", change: mapping => (mapping.Shadow, mapping.ShadowMeterId) = (true, shadow.Id));
        var target = new DriverTarget { Mode = DriverMode.Live, MeterId = mapping.MeterId, StripeCustomer = "cus_1", PeriodStart = Month };

        await RefusedAsync(() => RecordAsync(subject, target, "1", "a"), StatusCode.FailedPrecondition, "feeds the meter");
        await RefusedAsync(() => RecordAsync(subject, target, "1", "a", "rival"), StatusCode.FailedPrecondition, "feeds the meter");
        (target.Mode, target.MeterId) = (DriverMode.Test, shadow.Id);
        await RefusedAsync(() => RecordAsync(subject, target, "1", "a"), StatusCode.FailedPrecondition, "feeds the meter");
        Assert.Empty(subject.Double.ReadEvents());
    }

    [Fact]
    public async Task Record_InTestMode_NeedsATestKeyAndReachesItsAccountOnly()
    {
        await using var account = await TestAccount.StartAsync();
        await using var subject = await PusherUnderTest.StartAsync();
        var meter = await account.CreateMeterAsync("seats");
        var target = new DriverTarget { Mode = DriverMode.Test, MeterId = meter.Id, StripeCustomer = "cus_1", PeriodStart = Month };

        await RefusedAsync(() => RecordAsync(subject, target, "1", "a"), StatusCode.FailedPrecondition, "STRIPE_TEST_SECRET_KEY");
        await subject.StopPushersAsync();
        await subject.StartPusherAsync(account.Settings);
        await RecordAsync(subject, target, "1", "a");

        await Patience.UntilEqualAsync(("cus_1", "1"), () => Task.FromResult(account.Told.SingleOrDefault()));
        Assert.Empty(subject.Double.ReadEvents());
    }

    [Theory]
    [InlineData("target.mode", "live or test")]
    [InlineData("target.meter_id", "required")]
    [InlineData("target.stripe_customer", "characters")]
    [InlineData("target.period_start", "required")]
    [InlineData("target.period_end", "after period_start")]
    [InlineData("quantity", "decimal")]
    [InlineData("idempotency_key", "characters")]
    public async Task Record_WithAFieldThatIsWrong_NamesIt(string field, string reason)
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var meter = await subject.CreateMeterAsync("seats");
        var target = new DriverTarget
        {
            Mode = field == "target.mode" ? DriverMode.Unspecified : DriverMode.Live, MeterId = field == "target.meter_id" ? "" : meter.Id,
            StripeCustomer = field == "target.stripe_customer" ? "" : "cus_1", PeriodStart = field == "target.period_start" ? null : Month,
            PeriodEnd = field == "target.period_end" ? Month : null,
        };

        await RefusedAsync(
            () => RecordAsync(subject, target, field == "quantity" ? "ten" : "1", field == "idempotency_key" ? "" : "a"),
            StatusCode.InvalidArgument, field, reason);
    }

    [Fact]
    public async Task Record_ForAPeriodThatIsBilled_IsRefused()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var meter = await subject.CreateMeterAsync("seats");
        var target = new DriverTarget
        {
            Mode = DriverMode.Live, MeterId = meter.Id, StripeCustomer = "cus_1", PeriodStart = new Timestamp { Seconds = Month.Seconds - (60 * 86_400) },
        };

        await RefusedAsync(() => RecordAsync(subject, target, "1", "a"), StatusCode.FailedPrecondition, "final");
    }

    private static Task<RecordUsageResponse> RecordAsync(
        PusherUnderTest subject, DriverTarget target, string quantity, string key, string tenant = PusherUnderTest.Tenant) =>
        subject.Driver.RecordUsageAsync(new RecordUsageRequest
        {
            TenantId = tenant, Target = target, Quantity = quantity, IdempotencyKey = key,
        }).ResponseAsync;

    private static async Task RefusedAsync(Func<Task> call, StatusCode status, params string[] texts)
    {
        var refusal = await Assert.ThrowsAsync<RpcException>(call);
        Assert.Equal((status, refusal.Status.Detail), (refusal.StatusCode, refusal.Status.Detail));
        Assert.All(texts, text => Assert.Contains(text, refusal.Status.Detail, StringComparison.Ordinal));
    }
}
