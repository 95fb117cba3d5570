using Stripe;
using Stripe.Billing;
using StripeMeter.StripeDouble.Tests.Kit;

namespace StripeMeter.StripeDouble.Tests;

public sealed class ConnectTests
{
    [Fact]
    public async Task ConnectedAccount_HasItsOwnMetersEventsAndKeys()
    {
        await using var stripe = await TestDouble.StartAsync();
        var connected = await stripe.Client.V1.Accounts.CreateAsync(new AccountCreateOptions { Type = "standard" });
        var there = new RequestOptions { StripeAccount = connected.Id, IdempotencyKey = "same" };
        await stripe.CreateMeterAsync();
        await stripe.SendAsync("1", "id", key: "same");

        var meter = await stripe.Client.V1.Billing.Meters.CreateAsync(
            new MeterCreateOptions { DisplayName = "t", EventName = "tokens", DefaultAggregation = new MeterDefaultAggregationOptions { Formula = "sum" } },
            new RequestOptions { StripeAccount = connected.Id });
        await stripe.Client.V1.Billing.MeterEvents.CreateAsync(
            new MeterEventCreateOptions { EventName = "tokens", Identifier = "id", Payload = new() { ["stripe_customer_id"] = "cus_1", ["value"] = "5" } }, there);

        Assert.Equal(["1"], stripe.Host.ReadEvents().Select(static one => one.Value));
        Assert.Equal(["5"], stripe.Host.ReadEvents(account: connected.Id).Select(static one => one.Value));
        Assert.Equal(connected.Id, stripe.Host.Requests[^1].Account);
        await Refused.AsAsync(System.Net.HttpStatusCode.NotFound, () => stripe.Client.V1.Billing.Meters.GetAsync(meter.Id));
        Assert.Equal(connected.Id, (await stripe.Client.V1.Accounts.GetSelfAsync(new RequestOptions { StripeAccount = connected.Id })).Id);

        await stripe.RestartAsync();
        Assert.Equal(["5"], stripe.Host.ReadEvents(account: connected.Id).Select(static one => one.Value));
    }
}
