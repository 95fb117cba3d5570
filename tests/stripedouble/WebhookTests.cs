using System.Text.Json.Nodes;
using Stripe;
using Stripe.Events;
using StripeMeter.StripeDouble.Tests.Kit;

namespace StripeMeter.StripeDouble.Tests;

public sealed class WebhookTests
{
    [Fact]
    public async Task RejectedLater_IsReportedAsAThinEvent_WithSamplesOnly()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var stripe = await TestDouble.StartAsync(options => Listening(options, receiver) with { ReportSamples = 2 });
        var meter = await stripe.CreateMeterAsync();
        stripe.Faults.RejectLater(3);
        foreach (var name in new[] { "a", "b", "c", "d" })
            await stripe.SendAsync("1", name, customer: name);
        await stripe.Host.SettleAsync();
        Assert.Empty(receiver.Thin<V1BillingMeterErrorReportTriggeredEventNotification>(stripe.Client));

        await stripe.Host.AdvanceAsync(TimeSpan.FromSeconds(10));

        var notice = Assert.Single(receiver.Thin<V1BillingMeterErrorReportTriggeredEventNotification>(stripe.Client));
        Assert.Equal(meter.Id, notice.RelatedObject.Id);
        Assert.Equal("tokens", (await notice.FetchRelatedObjectAsync()).EventName);
        var reason = (await notice.FetchEventAsync()).Data.Reason;
        Assert.Equal(3, reason.ErrorCount);
        var type = Assert.Single(reason.ErrorTypes);
        Assert.Equal(("meter_event_customer_not_found", 3L), (type.Code, type.ErrorCount));
        Assert.Equal(["a", "b"], type.SampleErrors.Select(static sample => sample.Request.Identifier));
        Assert.Equal(1, await stripe.TotalAsync(meter, "d"));
        await stripe.Host.AdvanceAsync(TimeSpan.FromMinutes(1));
        Assert.Single(receiver.Thin<V1BillingMeterErrorReportTriggeredEventNotification>(stripe.Client));
    }

    [Fact]
    public async Task RejectedForWantOfAMeter_IsReportedWithoutOne()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var stripe = await TestDouble.StartAsync(options => Listening(options, receiver));
        await stripe.CreateMeterAsync();
        stripe.Faults.RejectLater(1, "no_meter");
        await stripe.SendAsync("1", "a");
        await stripe.Host.AdvanceAsync(TimeSpan.FromSeconds(10));
        var notice = Assert.Single(receiver.Thin<V1BillingMeterNoMeterFoundEventNotification>(stripe.Client));
        Assert.Equal("no_meter", (await notice.FetchEventAsync()).Data.Reason.ErrorTypes.Single().Code);
    }

    [Fact]
    public async Task Delivery_NotTaken_ComesAgain_AndTakenOnesMayToo()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var stripe = await TestDouble.StartAsync(options => Listening(options, receiver));
        receiver.Status = 500;
        await SubscribeAsync(stripe);
        await stripe.Host.SettleAsync();
        Assert.Empty(receiver.Types);

        receiver.Status = 200;
        stripe.Faults.RepeatWebhooks(1);
        await stripe.Host.SettleAsync();
        Assert.Empty(receiver.Types);
        await stripe.Host.AdvanceAsync(TimeSpan.FromSeconds(1));

        string[] types = ["customer.subscription.created", "invoice.created", "invoice.finalized", "price.created"];
        Assert.Equal(types, receiver.Types.Distinct().Order(StringComparer.Ordinal));
        Assert.Equal((types.Length + 1, types.Length), (receiver.Snapshots.Count, receiver.Snapshots.DistinctBy(static one => one.Id).Count()));
        await stripe.Host.AdvanceAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(types.Length + 1, receiver.Types.Count);
    }

    [Fact]
    public async Task Listen_ByTheControls_OutlivesARestart_AndHearsOnlyWhatComesAfter()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var stripe = await TestDouble.StartAsync();
        await SubscribeAsync(stripe);
        await stripe.Host.ListenAsync(receiver.Url, WebhookReceiver.Secret);
        await stripe.RestartAsync();
        var later = await SubscribeAsync(stripe);
        await stripe.Host.SettleAsync();
        Assert.Equal([later.Id], receiver.Snapshots.Select(static one => one.Data.Object).OfType<Subscription>().Select(static one => one.Id));
    }

    [Fact]
    public async Task Price_ThatIsMadeOrChanged_IsTold()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var stripe = await TestDouble.StartAsync(options => Listening(options, receiver));
        var price = await stripe.Client.V1.Prices.CreateAsync(
            new PriceCreateOptions { Currency = "usd", UnitAmount = 5, ProductData = new PriceProductDataOptions { Name = "P" } });
        var changed = await stripe.Client.V1.Prices.UpdateAsync(price.Id, new PriceUpdateOptions { Active = false, Nickname = "old" });
        await stripe.Host.SettleAsync();
        Assert.Equal((false, "old", 5L), (changed.Active, changed.Nickname, changed.UnitAmount));
        Assert.Equal(["price.created", "price.updated"], receiver.Types);
        Assert.Equal([true, false], receiver.Snapshots.Select(static one => ((Price)one.Data.Object).Active));
    }

    [Fact]
    public async Task Update_TellsWhatItChanged_AndNoMore()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var stripe = await TestDouble.StartAsync(options => Listening(options, receiver));
        var subscription = await SubscribeAsync(stripe);
        await stripe.Client.V1.Subscriptions.UpdateAsync(subscription.Id, new SubscriptionUpdateOptions { Description = "changed", Metadata = new() { ["a"] = "b" } });
        await stripe.Host.AdvanceAsync(subscription.Items.Data[0].CurrentPeriodEnd - stripe.Now);
        var changes = receiver.Deliveries.Select(static one => JsonNode.Parse(one.Body)!).Where(static one => (string?)one["type"] == "customer.subscription.updated")
            .Select(static one => one["data"]!["previous_attributes"]!.AsObject()).OrderBy(static one => one.ContainsKey("items")).ToList();
        Assert.Equal(["""{"description":null,"metadata":{"a":null}}""", subscription.LatestInvoiceId], [changes[0].ToJsonString(), (string?)changes[1]["latest_invoice"]]);
        Assert.Equal(["items", "latest_invoice"], changes[1].Select(static member => member.Key).Order(StringComparer.Ordinal));
        Assert.Equal(new DateTimeOffset(subscription.Items.Data[0].CurrentPeriodEnd).ToUnixTimeSeconds(), (long)changes[1]["items"]!["data"]![0]!["current_period_end"]!);
    }

    [Fact]
    public async Task ConnectedAccount_IsNamedInItsEvents()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var stripe = await TestDouble.StartAsync(options => Listening(options, receiver));
        var connected = await stripe.Client.V1.Accounts.CreateAsync(new AccountCreateOptions { Type = "standard" });
        await SubscribeAsync(stripe);
        await SubscribeAsync(stripe, connected.Id);
        await stripe.Host.SettleAsync();
        Assert.Equal([null, connected.Id], receiver.Snapshots.Where(static one => one.Data.Object is Subscription).Select(static one => one.Account));
    }

    private static StripeDoubleOptions Listening(StripeDoubleOptions options, WebhookReceiver receiver) =>
        options with { WebhookUrl = receiver.Url, WebhookSecret = WebhookReceiver.Secret };

    private static async Task<Subscription> SubscribeAsync(TestDouble stripe, string? account = null)
    {
        var at = new RequestOptions { StripeAccount = account };
        var price = await stripe.Client.V1.Prices.CreateAsync(
            new PriceCreateOptions
            {
                Currency = "usd", UnitAmount = 5, ProductData = new PriceProductDataOptions { Name = "P" },
                Recurring = new PriceRecurringOptions { Interval = "month" },
            },
            at);
        return await stripe.Client.V1.Subscriptions.CreateAsync(
            new SubscriptionCreateOptions { Customer = "cus_1", Items = [new SubscriptionItemOptions { Price = price.Id }] }, at);
    }
}
