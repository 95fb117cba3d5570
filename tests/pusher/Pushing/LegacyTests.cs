using System.Text.Json.Nodes;
using Grpc.Core;
using Stripe;
using StripeMeter.Pusher.Tests.Kit;
using StripeMeter.StripeDouble.Control;
using StripeMeter.V1;
using Mapping = StripeMeter.V1.Mapping;

namespace StripeMeter.Pusher.Tests.Pushing;

/// <summary>Subscription items from before there were meters: usage records that are set, by a pinned version of the API.</summary>
public sealed class LegacyTests
{
    private const string OldVersion = "2024-06-20";

    [Fact]
    public async Task Push_OfALegacyPrice_SetsTheWholeUnitsOfThePeriod()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var (price, item) = await LegacyItemAsync(subject);
        var mapping = await CreateAsync(subject, price, new CustomerRule { TableOnly = true, Table = { ["ref"] = item } });

        // A total that is set may be set again, so a lost answer and a stored error cost a second attempt and no more.
        subject.Double.Faults.LoseReplies(1);
        await subject.CountAsync("calls", "ref", "10.75");
        await Patience.UntilEqualAsync(10, () => TotalAsync(subject, item));
        subject.Double.Faults.FailAfterCommit(1);
        await subject.CountAsync("calls", "ref", "0.5");
        await Patience.UntilEqualAsync(11, () => TotalAsync(subject, item));
        subject.Double.Faults.RateLimit(1);
        await subject.CountAsync("calls", "ref", "-4");
        await Patience.UntilEqualAsync(7, () => TotalAsync(subject, item));

        Assert.Equal((MeterSink.UsageRecords, price), (mapping.MeterSink, mapping.MeterId));
        var start = PusherUnderTest.ThisMonth.Start.ToUnixSeconds() + 59;
        var taken = subject.Double.Requests.Where(request => request.Path == $"/v1/subscription_items/{item}/usage_records" && request.Status == 200).ToList();
        Assert.All(taken, record => Assert.Equal(("set", OldVersion, $"{start}"), (Value(record, "action"), record.ApiVersion, Value(record, "timestamp"))));
        Assert.Equal(["10", "11", "7"], taken.Select(record => Value(record, "quantity")).Distinct());
    }

    [Fact]
    public async Task Push_OfALegacyItem_KeepsToItsSubscriptionAsWebhooksTell()
    {
        await using var services = await OtherServices.StartAsync();
        await using var subject = await PusherUnderTest.StartAsync(pushers: 0);
        await subject.StartPusherAsync(("STRIPE_WEBHOOK_SECRET", WebhookForwarder.Secret), services.Setting);
        var (price, item) = await LegacyItemAsync(subject);
        await CreateAsync(subject, price, new CustomerRule { TableOnly = true, Table = { ["ref"] = item } });
        await subject.CountAsync("calls", "ref", "3");
        await Patience.UntilEqualAsync(3, () => TotalAsync(subject, item));
        await using var webhooks = await WebhookForwarder.StartAsync(subject);
        var end = PusherUnderTest.ThisMonth.End;

        await subject.Double.AdvanceAsync(end.ToOffset() - subject.Double.Now);

        await Patience.UntilEqualAsync(end + TimeSpan.FromHours(1), async () => (await subject.DocumentAsync(price, item))!.Periods.Single().Deadline);
        Assert.NotEqual(default, (await subject.DocumentAsync(price, item))!.BilledFrom);
    }

    [Fact]
    public async Task Push_OfAnItemThatBeganWithinThePeriod_IsStampedBehindItsBeginning()
    {
        await using var services = await OtherServices.StartAsync();
        await using var subject = await PusherUnderTest.StartAsync(pushers: 0);
        await subject.StartPusherAsync(("STRIPE_WEBHOOK_SECRET", WebhookForwarder.Secret), services.Setting);
        var (price, item) = await LegacyItemAsync(subject, sinceMonthStart: TimeSpan.FromSeconds(30));
        await CreateAsync(subject, price, new CustomerRule { TableOnly = true, Table = { ["ref"] = item } });
        await using var webhooks = await WebhookForwarder.StartAsync(subject);
        var subscription = (await subject.Stripe.V1.Subscriptions.ListAsync()).Single();
        await subject.Stripe.V1.Subscriptions.UpdateAsync(subscription.Id, new SubscriptionUpdateOptions { Description = "changed" });
        await Patience.UntilAsync(async () => await subject.DocumentAsync(price, item) is not null);

        await subject.CountAsync("calls", "ref", "3");
        await Patience.UntilEqualAsync(3, () => TotalAsync(subject, item));
        await subject.CountAsync("calls", "ref", "1");
        await Patience.UntilEqualAsync(4, () => TotalAsync(subject, item));
    }

    [Fact]
    public async Task Create_OfALegacyPrice_NeedsATableOfItems()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var (price, item) = await LegacyItemAsync(subject);

        foreach (var rule in (CustomerRule[])[new(), new() { TableOnly = true, Table = { ["ref"] = "cus_1" } }, new() { Table = { ["ref"] = item } }])
        {
            var refusal = await Assert.ThrowsAsync<RpcException>(() => CreateAsync(subject, price, rule));
            Assert.Contains("mapping.customer_rule", refusal.Status.Detail, StringComparison.Ordinal);
        }
    }

    /// <summary>A metered price without a meter, which only old versions make, and an item of a subscription to it.</summary>
    private static async Task<(string Price, string Item)> LegacyItemAsync(PusherUnderTest subject, TimeSpan? sinceMonthStart = null)
    {
        subject.DoubleTime.Shift = TimeSpan.FromDays(-40);
        var made = await RawAsync(
            subject, HttpMethod.Post, "/v1/prices",
            "currency=usd&unit_amount=3&product_data[name]=Old&recurring[interval]=month&recurring[usage_type]=metered");
        var price = (string)made["id"]!;
        return (price, (await subject.SubscribeAsync("cus_1", price, sinceMonthStart)).Items.Data.Single().Id);
    }

    private static async Task<long> TotalAsync(PusherUnderTest subject, string item)
    {
        var summaries = await RawAsync(subject, HttpMethod.Get, $"/v1/subscription_items/{item}/usage_record_summaries", null);
        return (long)summaries["data"]![0]!["total_usage"]!;
    }

    private static async Task<JsonNode> RawAsync(PusherUnderTest subject, HttpMethod method, string path, string? form)
    {
        var answer = await subject.Stripe.RawRequestAsync(
            method, path, form, new RawRequestOptions { AdditionalHeaders = { ["Stripe-Version"] = OldVersion } });
        return JsonNode.Parse(answer.Content)!;
    }

    private static string Value(ReceivedRequest request, string name) => request.Parameters.Single(parameter => parameter.Key == name).Value;

    private static Task<Mapping> CreateAsync(PusherUnderTest subject, string price, CustomerRule rule) => subject.Mappings.CreateMappingAsync(new CreateMappingRequest
    {
        Mapping = new Mapping
        {
            TenantId = PusherUnderTest.Tenant, Metric = "calls", Aggregation = Aggregation.Sum, StripeAccount = "default", PriceId = price,
            Active = true, CustomerRule = rule,
        },
    }).ResponseAsync;
}
