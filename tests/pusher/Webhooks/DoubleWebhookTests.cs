using Stripe;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Time;
using StripeMeter.Pusher.Tests.Kit;

namespace StripeMeter.Pusher.Tests.Webhooks;

/// <summary>What the double tells of subscriptions, invoices and prices, from what happened there to what comes of it.</summary>
public sealed class DoubleWebhookTests
{
    [Fact]
    public async Task Invoice_MovesTheDeadlineOfThePeriodItBills_WhenPlannedAndWhenFinal()
    {
        await using var services = await OtherServices.StartAsync();
        await using var subject = await StartAsync(services);
        var mapping = await subject.MapAsync("calls");
        await subject.CountAsync("calls", "cus_1", "7");
        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "7");
        await subject.SubscribeAsync("cus_1", (await subject.CreatePriceAsync(mapping.MeterId)).Id);
        await using var webhooks = await WebhookForwarder.StartAsync(subject);
        var end = PusherUnderTest.ThisMonth.End;

        await subject.Double.AdvanceAsync(end.ToOffset() - subject.Double.Now);

        await Patience.UntilEqualAsync(end + TimeSpan.FromHours(1), () => DeadlineAsync(subject, mapping.MeterId));
        await subject.Double.AdvanceAsync(TimeSpan.FromMinutes(20));
        var draft = (await subject.Stripe.V1.Invoices.ListAsync(new InvoiceListOptions { Status = "draft" })).Single();
        var final = await subject.Stripe.V1.Invoices.FinalizeInvoiceAsync(draft.Id);
        await Patience.UntilEqualAsync(Instant.Of(final.StatusTransitions.FinalizedAt!.Value), () => DeadlineAsync(subject, mapping.MeterId));
        Assert.Equal(35, final.Total);
    }

    [Fact]
    public async Task Subscription_AnchorsItsCustomer_AndKeepsWhenItBegan()
    {
        await using var services = await OtherServices.StartAsync();
        await using var subject = await StartAsync(services);
        var mapping = await subject.MapAsync("calls");
        await using var webhooks = await WebhookForwarder.StartAsync(subject);

        var subscription = await subject.Stripe.V1.Subscriptions.CreateAsync(new SubscriptionCreateOptions
        {
            Customer = "cus_1", Items = [new SubscriptionItemOptions { Price = (await subject.CreatePriceAsync(mapping.MeterId)).Id }],
        });

        await Patience.UntilEqualAsync(1, () => Task.FromResult(services.Anchors.Count));
        var anchor = subscription.BillingCycleAnchor;
        var change = services.Anchors.Single();
        Assert.Equal(("cus_1", PeriodAnchor.At(Instant.Of(anchor))), (change.CustomerRef, new PeriodAnchor(change.Anchor.Day, change.Anchor.Minute)));

        // No usage came yet; what comes is not stamped before the subscription began.
        Assert.Equal(Instant.Of(subscription.Created), (await subject.DocumentAsync(mapping.MeterId, "cus_1"))!.BilledFrom);
        await subject.CountAsync("calls", "cus_1", "7");
        await Patience.UntilAsync(async () => (await subject.DocumentAsync(mapping.MeterId, "cus_1"))!.Meter.EventName == "calls");
    }

    [Fact]
    public async Task Price_ThatIsMadeOrChanged_IsReadAgain()
    {
        await using var services = await OtherServices.StartAsync();
        await using var subject = await StartAsync(services);
        await using var webhooks = await WebhookForwarder.StartAsync(subject);

        var price = (await subject.CreatePriceAsync((await subject.CreateMeterAsync("calls")).Id)).Id;
        await Patience.UntilEqualAsync($"default/{price}", () => Task.FromResult(RefreshedOf(services)));
        await subject.Stripe.V1.Prices.UpdateAsync(price, new PriceUpdateOptions { Active = false });

        await Patience.UntilEqualAsync($"default/{price} default/{price}", () => Task.FromResult(RefreshedOf(services)));
    }

    private static string RefreshedOf(OtherServices services) =>
        string.Join(' ', services.Prices.Select(static price => $"{price.StripeAccount}/{price.PriceId}"));

    private static async Task<Instant?> DeadlineAsync(PusherUnderTest subject, string meter) =>
        (await subject.DocumentAsync(meter, "cus_1"))!.Periods.Single().Deadline;

    private static async Task<PusherUnderTest> StartAsync(OtherServices services)
    {
        var subject = await PusherUnderTest.StartAsync(pushers: 0);
        await subject.StartPusherAsync(("STRIPE_WEBHOOK_SECRET", WebhookForwarder.Secret), services.Setting);
        return subject;
    }
}
