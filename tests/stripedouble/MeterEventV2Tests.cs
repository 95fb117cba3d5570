using Stripe;
using StripeMeter.StripeDouble.Tests.Kit;
using V2Event = Stripe.V2.Billing.MeterEventCreateOptions;

namespace StripeMeter.StripeDouble.Tests;

public sealed class MeterEventV2Tests
{
    [Fact]
    public async Task Create_CountsAsV1Does_UnderTheSameIdentifiers()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        var sent = await SendAsync(stripe, "id", "25.5");
        Assert.Equal(("v2.billing.meter_event", "id", stripe.Now), (sent.Object, sent.Identifier, sent.Timestamp));
        Assert.Equal(25.5m, await stripe.TotalAsync(meter));
        Assert.Equal("duplicate_meter_event", await CodeOfAsync(() => SendAsync(stripe, "id", "25.5")));
        await Refused.AsAsync(System.Net.HttpStatusCode.BadRequest, () => stripe.SendAsync("1", "id"));
    }

    [Fact]
    public async Task Create_Refused_HasTheCodesOfV2()
    {
        await using var stripe = await TestDouble.StartAsync();
        var archived = await stripe.CreateMeterAsync("old");
        await stripe.Client.V1.Billing.Meters.DeactivateAsync(archived.Id);
        await stripe.CreateMeterAsync();
        Assert.Equal("no_meter", await CodeOfAsync(() => SendAsync(stripe, "a", "1", eventName: "none")));
        Assert.Equal("archived_meter", await CodeOfAsync(() => SendAsync(stripe, "a", "1", eventName: "old")));
        Assert.Equal("payload_invalid_value", await CodeOfAsync(() => SendAsync(stripe, "a", "1.2.3")));
        Assert.Equal("payload_no_customer_defined", await CodeOfAsync(() => SendAsync(stripe, "a", "1", customerKey: "other")));
        Assert.Equal("payload_no_value_defined", await CodeOfAsync(() => SendAsync(stripe, "a", "1", valueKey: "other")));
    }

    [Fact]
    public async Task Create_BeyondALimit_IsKnownToTheClientAsThat()
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.CreateMeterAsync();
        stripe.Faults.RateLimit(1);
        await Assert.ThrowsAsync<Stripe.V2.RateLimitException>(() => SendAsync(stripe, "a", "1"));
        await SendAsync(stripe, "a", "1");
    }

    [Fact]
    public async Task Adjustment_Cancels_AndSaysWhenItCannot()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        await SendAsync(stripe, "id", "3");
        var done = await CancelAsync(stripe, "id");
        Assert.Equal(("complete", "cancel"), (done.Status, done.Type));
        Assert.NotEmpty(done.Id);
        Assert.Null(await stripe.TotalAsync(meter));
        Assert.Equal("invalid_cancel_configuration", await CodeOfAsync(() => CancelAsync(stripe, "id")));
    }

    private static Task<Stripe.V2.Billing.MeterEventAdjustment> CancelAsync(TestDouble stripe, string identifier) =>
        stripe.Client.V2.Billing.MeterEventAdjustments.CreateAsync(new Stripe.V2.Billing.MeterEventAdjustmentCreateOptions
        {
            EventName = "tokens", Type = "cancel", Cancel = new Stripe.V2.Billing.MeterEventAdjustmentCreateCancelOptions { Identifier = identifier },
        });

    private static Task<Stripe.V2.Billing.MeterEvent> SendAsync(
        TestDouble stripe, string identifier, string value, string eventName = "tokens", string customerKey = "stripe_customer_id", string valueKey = "value") =>
        stripe.Client.V2.Billing.MeterEvents.CreateAsync(new V2Event
        {
            EventName = eventName, Identifier = identifier, Timestamp = stripe.Now,
            Payload = new() { [customerKey] = "cus_1", [valueKey] = value },
        });

    private static async Task<string?> CodeOfAsync(Func<Task> call) => (await Assert.ThrowsAsync<StripeException>(call)).StripeError.Code;
}
