using System.Net;
using Stripe.Billing;
using StripeMeter.StripeDouble.Tests.Kit;

namespace StripeMeter.StripeDouble.Tests;

public sealed class MeterEventAdjustmentTests
{
    [Fact]
    public async Task Create_CancelWithinADay_TakesTheEventOut()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        var at = stripe.Now;
        await stripe.SendAsync("1", "id1", at);
        await stripe.SendAsync("10", "id2", at);
        stripe.Time.Advance(TimeSpan.FromHours(24) - TimeSpan.FromMilliseconds(1));
        var adjustment = await CancelAsync(stripe, "id1");
        Assert.Equal(("complete", "cancel", "id1", "tokens"), (adjustment.Status, adjustment.Type, adjustment.Cancel.Identifier, adjustment.EventName));
        Assert.Equal(10, (await stripe.SummariesAsync(meter, at.Date, at.Date.AddDays(1))).Single().AggregatedValue);
        Assert.Equal("cancelled", stripe.Host.ReadEvents()[0].Excluded);
    }

    [Fact]
    public async Task Create_AfterADay_IsRefused()
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.CreateMeterAsync();
        await stripe.SendAsync("1", "id1");
        stripe.Time.Advance(TimeSpan.FromHours(24));
        await Refused.AsAsync(HttpStatusCode.BadRequest, () => CancelAsync(stripe, "id1"));
    }

    [Fact]
    public async Task Create_TwiceOrForAnotherMeterOrUnknown_IsRefused()
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.CreateMeterAsync();
        await stripe.CreateMeterAsync("calls");
        await stripe.SendAsync("1", "id1");
        await Refused.AsAsync(HttpStatusCode.BadRequest, () => CancelAsync(stripe, "id1", "calls"));
        await Refused.AsAsync(HttpStatusCode.BadRequest, () => CancelAsync(stripe, "id1", "none"));
        await Refused.AsAsync(HttpStatusCode.BadRequest, () => CancelAsync(stripe, "id2"));
        await CancelAsync(stripe, "id1");
        await Refused.AsAsync(HttpStatusCode.BadRequest, () => CancelAsync(stripe, "id1"));
    }

    [Fact]
    public async Task Create_Cancelled_TheIdentifierStaysUsed()
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.CreateMeterAsync();
        await stripe.SendAsync("1", "id1");
        await CancelAsync(stripe, "id1");
        await Refused.AsAsync(HttpStatusCode.BadRequest, () => stripe.SendAsync("1", "id1"));
    }

    private static Task<MeterEventAdjustment> CancelAsync(TestDouble stripe, string identifier, string eventName = "tokens") =>
        stripe.Client.V1.Billing.MeterEventAdjustments.CreateAsync(new MeterEventAdjustmentCreateOptions
        {
            EventName = eventName, Type = "cancel", Cancel = new MeterEventAdjustmentCancelOptions { Identifier = identifier },
        });
}
