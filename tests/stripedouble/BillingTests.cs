using Stripe;
using StripeMeter.StripeDouble.Tests.Kit;

namespace StripeMeter.StripeDouble.Tests;

/// <summary>Subscriptions and what their periods are billed.</summary>
public sealed class BillingTests
{
    [Fact]
    public async Task Subscription_OfAnAnchor_HasItsPeriodThere()
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.CreateMeterAsync();
        var subscription = await SubscribeAsync(stripe, anchor: new DateTime(2026, 10, 31, 9, 30, 0, DateTimeKind.Utc));
        Assert.Equal((stripe.Now, new DateTime(2026, 10, 31, 9, 30, 0)), PeriodOf(subscription));
        await stripe.Host.AdvanceAsync(TimeSpan.FromDays(30));
        // November has no 31st; December has one again.
        subscription = await stripe.Client.V1.Subscriptions.GetAsync(subscription.Id);
        Assert.Equal((new DateTime(2026, 10, 31, 9, 30, 0), new DateTime(2026, 11, 30, 9, 30, 0)), PeriodOf(subscription));
        await stripe.Host.AdvanceAsync(TimeSpan.FromDays(30));
        subscription = await stripe.Client.V1.Subscriptions.GetAsync(subscription.Id);
        Assert.Equal((new DateTime(2026, 11, 30, 9, 30, 0), new DateTime(2026, 12, 31, 9, 30, 0)), PeriodOf(subscription));
    }

    [Fact]
    public async Task Invoice_IsADraftAtThePeriodsEnd_AndFinalWithWhatCameUntilThen()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var stripe = await TestDouble.StartAsync(options => options with { WebhookUrl = receiver.Url, WebhookSecret = WebhookReceiver.Secret });
        await stripe.CreateMeterAsync();
        var subscription = await SubscribeAsync(stripe);
        var (start, end) = PeriodOf(subscription);
        await stripe.SendAsync("10.5", at: start);

        await stripe.Host.AdvanceAsync(end - stripe.Now);
        var draft = (await CycleInvoicesAsync(stripe)).Single();
        Assert.Equal(("draft", end.AddHours(1), 53L), (draft.Status, draft.AutomaticallyFinalizesAt, draft.Total));
        await stripe.SendAsync("2", at: end.AddMinutes(-1));
        await stripe.SendAsync("4", at: end);
        await stripe.Host.AdvanceAsync(TimeSpan.FromHours(1));
        await stripe.SendAsync("100", at: end.AddMinutes(-2));

        var invoice = await stripe.Client.V1.Invoices.GetAsync(draft.Id);
        Assert.Equal(("open", null, end.AddHours(1)), (invoice.Status, invoice.AutomaticallyFinalizesAt, invoice.StatusTransitions.FinalizedAt));
        var line = Assert.Single(invoice.Lines.Data);
        Assert.Equal((start, end, 12L, 12.5m, 63L), (line.Period.Start, line.Period.End, line.Quantity, line.QuantityDecimal, line.Amount));
        Assert.Equal(subscription.Items.Data[0].Id, line.Parent.SubscriptionItemDetails.SubscriptionItem);
        Assert.Equal(
            ["customer.subscription.created", "customer.subscription.updated", "invoice.created", "invoice.created", "invoice.finalized", "invoice.finalized", "price.created"],
            receiver.Types.Order(StringComparer.Ordinal));
        await stripe.Host.AdvanceAsync(TimeSpan.FromHours(1));
        Assert.Equal(63, (await stripe.Client.V1.Invoices.GetAsync(draft.Id)).Total);
    }

    [Fact]
    public async Task Invoice_TheFirst_IsFinalAtOnceWithLicencesAndWithoutUsage()
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.CreateMeterAsync();
        await stripe.SendAsync("3");
        var metered = await FirstInvoiceAsync(stripe, await SubscribeAsync(stripe));
        Assert.Equal(("open", "subscription_create", 0L, stripe.Now), (metered.Status, metered.BillingReason, metered.Total, metered.StatusTransitions.FinalizedAt));
        Assert.Empty(metered.Lines.Data);

        var subscription = await SubscribeAsync(stripe, static price => price.Recurring = new PriceRecurringOptions { Interval = "month" });
        var line = Assert.Single((await FirstInvoiceAsync(stripe, subscription)).Lines.Data);
        Assert.Equal(PeriodOf(subscription), (line.Period.Start, line.Period.End));
        Assert.Equal(5, line.Amount);

        // Cut short by its anchor, the period has its licences for nothing: nothing is prorated here.
        var shortened = await SubscribeAsync(stripe, static price => price.Recurring = new PriceRecurringOptions { Interval = "month" }, anchor: stripe.Now.AddDays(3));
        Assert.Empty((await FirstInvoiceAsync(stripe, shortened)).Lines.Data);
    }

    [Fact]
    public async Task Invoice_WhoseCreationIsNotAnswered_IsFinalWhenItIs_OrAfterThreeDays()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var stripe = await TestDouble.StartAsync(options => options with { WebhookUrl = receiver.Url, WebhookSecret = WebhookReceiver.Secret });
        await stripe.CreateMeterAsync();
        var subscription = await SubscribeAsync(stripe);
        await stripe.Host.SettleAsync();
        receiver.Status = 500;
        await stripe.Host.AdvanceAsync(PeriodOf(subscription).End - stripe.Now);
        await stripe.Host.AdvanceAsync(TimeSpan.FromHours(2));
        Assert.Equal("draft", (await CycleInvoicesAsync(stripe)).Single().Status);

        // Usage that comes meanwhile is still billed.
        await stripe.SendAsync("7", at: PeriodOf(subscription).End.AddMinutes(-1));
        receiver.Status = 200;
        await stripe.Host.AdvanceAsync(TimeSpan.FromHours(12));
        await stripe.Host.SettleAsync();
        var answered = (await CycleInvoicesAsync(stripe)).Single();
        Assert.Equal(("open", 35L, PeriodOf(subscription).End.AddHours(14)), (answered.Status, answered.Total, answered.StatusTransitions.FinalizedAt));

        receiver.Status = 500;
        var next = PeriodOf(await stripe.Client.V1.Subscriptions.GetAsync(subscription.Id)).End;
        await stripe.Host.AdvanceAsync(next - stripe.Host.Now.UtcDateTime);
        await stripe.Host.AdvanceAsync(TimeSpan.FromHours(71));
        Assert.Equal("draft", (await CycleInvoicesAsync(stripe))[0].Status);
        await stripe.Host.AdvanceAsync(TimeSpan.FromHours(1));
        Assert.Equal(next.AddHours(72), (await CycleInvoicesAsync(stripe))[0].StatusTransitions.FinalizedAt);
    }

    [Fact]
    public async Task Invoice_OfANegativeTotal_IsOfNothing()
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.CreateMeterAsync();
        var (start, end) = PeriodOf(await SubscribeAsync(stripe));
        await stripe.SendAsync("-7", at: start);
        await stripe.Host.AdvanceAsync(end - stripe.Now);
        var invoice = (await CycleInvoicesAsync(stripe)).Single();
        Assert.Equal((0L, 0L), (invoice.Total, invoice.Lines.Data.Single().Quantity));
    }

    [Theory]
    [InlineData("graduated", "12", new long[] { 2500, 1000, 2000, 2000, 600, 3000 })]
    [InlineData("volume", "12", new long[] { 3600, 3000 })]
    [InlineData("graduated", "0", new long[] { 0, 1000 })]
    public async Task Invoice_OfTiers_HasALineForEachTiersUnitsAndFlatFee(string mode, string usage, long[] amounts)
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.CreateMeterAsync();
        var subscription = await SubscribeAsync(stripe, price =>
        {
            (price.UnitAmount, price.BillingScheme, price.TiersMode) = (null, "tiered", mode);
            price.Tiers =
            [
                new PriceTierOptions { UpTo = 5, UnitAmount = 500, FlatAmount = 1000 }, new PriceTierOptions { UpTo = 10, UnitAmount = 400, FlatAmount = 2000 },
                new PriceTierOptions { UpTo = PriceTierUpTo.Inf, UnitAmount = 300, FlatAmount = 3000 },
            ];
        });
        var (start, end) = PeriodOf(subscription);
        await stripe.SendAsync(usage, at: start);
        await stripe.Host.AdvanceAsync(end - stripe.Now);
        Assert.Equal(amounts, (await CycleInvoicesAsync(stripe)).Single().Lines.Data.Select(static line => line.Amount));
    }

    [Fact]
    public async Task Update_AnchorNow_EndsThePeriodAndBillsIt()
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.CreateMeterAsync();
        var subscription = await SubscribeAsync(stripe);
        await stripe.Host.AdvanceAsync(TimeSpan.FromDays(3));
        var now = stripe.Host.Now.UtcDateTime;
        Assert.Equal(200, (await stripe.SendRawAsync(HttpMethod.Post, $"/v1/subscriptions/{subscription.Id}", "billing_cycle_anchor=now")).Status);
        await stripe.Host.SettleAsync();
        var changed = await stripe.Client.V1.Subscriptions.GetAsync(subscription.Id);
        Assert.Equal((now, now.AddMonths(1), now), (PeriodOf(changed).Start, PeriodOf(changed).End, changed.BillingCycleAnchor));
        Assert.Equal(now, (await CycleInvoicesAsync(stripe)).Single().PeriodEnd);
    }

    [Fact]
    public async Task Cancel_EndsBilling()
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.CreateMeterAsync();
        var subscription = await SubscribeAsync(stripe);
        Assert.Equal("canceled", (await stripe.Client.V1.Subscriptions.CancelAsync(subscription.Id)).Status);
        await stripe.Host.AdvanceAsync(TimeSpan.FromDays(40));
        Assert.Empty(await CycleInvoicesAsync(stripe));
        Assert.Empty((await stripe.Client.V1.Subscriptions.ListAsync()).Data);
    }

    [Fact]
    public async Task UsageRecords_AreForLegacyItemsOfOldVersionsOnly()
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.CreateMeterAsync();
        var metered = (await SubscribeAsync(stripe)).Items.Data[0].Id;
        var refused = await RecordAsync(stripe, metered, "quantity=5&action=set");
        Assert.Equal(400, refused.Status);
        Assert.StartsWith($"Cannot create a usage record for {metered} because it is not on the legacy metered billing system.", (string?)refused.Json["error"]!["message"], StringComparison.Ordinal);

        var legacy = await LegacyItemAsync(stripe);
        Assert.Equal(404, (await RecordAsync(stripe, legacy, "quantity=5", version: "2026-10-28.endive")).Status);
        var now = new DateTimeOffset(stripe.Now).ToUnixTimeSeconds();
        foreach (var form in new[] { $"quantity=5&action=set&timestamp={now}", $"quantity=7&action=set&timestamp={now}", $"quantity=3&timestamp={now}", $"quantity=1&timestamp={now + 60}" })
            Assert.Equal(200, (await RecordAsync(stripe, legacy, form)).Status);
        var summaries = await stripe.SendRawAsync(
            HttpMethod.Get, $"/v1/subscription_items/{legacy}/usage_record_summaries", change: static request => request.Headers.Add("Stripe-Version", "2024-06-20"));
        Assert.Equal(11, (int)summaries.Json["data"]![0]!["total_usage"]!);
        await stripe.Host.AdvanceAsync(TimeSpan.FromDays(32));
        Assert.Contains((await stripe.Client.V1.Invoices.ListAsync()).Data, static invoice => invoice.Total == 11 * 3);
    }

    private static Task<Invoice> FirstInvoiceAsync(TestDouble stripe, Subscription subscription) =>
        stripe.Client.V1.Invoices.GetAsync(subscription.LatestInvoiceId);

    private static async Task<string> LegacyItemAsync(TestDouble stripe)
    {
        const string price = "currency=usd&unit_amount=3&product_data[name]=Old&recurring[interval]=month&recurring[usage_type]=metered";
        Assert.Equal(400, (await stripe.SendRawAsync(HttpMethod.Post, "/v1/prices", price)).Status);
        var old = await stripe.SendRawAsync(HttpMethod.Post, "/v1/prices", price, change: static request => request.Headers.Add("Stripe-Version", "2024-06-20"));
        var subscription = await stripe.Client.V1.Subscriptions.CreateAsync(
            new SubscriptionCreateOptions { Customer = "cus_2", Items = [new SubscriptionItemOptions { Price = (string?)old.Json["id"] }] });
        return subscription.Items.Data[0].Id;
    }

    private static Task<RawReply> RecordAsync(TestDouble stripe, string item, string form, string version = "2024-06-20") => stripe.SendRawAsync(
        HttpMethod.Post, $"/v1/subscription_items/{item}/usage_records", form, change: request => request.Headers.Add("Stripe-Version", version));

    private static async Task<Subscription> SubscribeAsync(TestDouble stripe, Action<PriceCreateOptions>? change = null, DateTime? anchor = null)
    {
        var options = new PriceCreateOptions
        {
            Currency = "usd", UnitAmount = 5, ProductData = new PriceProductDataOptions { Name = "Tokens" },
            Recurring = new PriceRecurringOptions { Interval = "month", UsageType = "metered", Meter = (await stripe.Client.V1.Billing.Meters.ListAsync()).Single().Id },
        };
        change?.Invoke(options);
        var price = await stripe.Client.V1.Prices.CreateAsync(options);
        return await stripe.Client.V1.Subscriptions.CreateAsync(new SubscriptionCreateOptions
        {
            Customer = "cus_1", Items = [new SubscriptionItemOptions { Price = price.Id }], BillingCycleAnchor = anchor,
        });
    }

    /// <summary>The invoices of periods that ended, without those that began a subscription.</summary>
    private static async Task<List<Invoice>> CycleInvoicesAsync(TestDouble stripe) =>
        [.. (await stripe.Client.V1.Invoices.ListAsync()).Where(static invoice => invoice.BillingReason == "subscription_cycle")];

    private static (DateTime Start, DateTime End) PeriodOf(Subscription subscription) =>
        (subscription.Items.Data[0].CurrentPeriodStart, subscription.Items.Data[0].CurrentPeriodEnd);
}
