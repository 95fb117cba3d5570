using System.Net;
using System.Text;
using Stripe;
using StripeMeter.StripeDouble.Tests.Kit;

namespace StripeMeter.StripeDouble.Tests;

public sealed class ControlTests
{
    [Fact]
    public async Task State_ShowsAccountCountsAndFaults()
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.CreateMeterAsync();
        await stripe.SendAsync("1");
        stripe.Faults.LoseReplies(3);
        var state = (await stripe.SendRawAsync(HttpMethod.Get, "/_double/", key: null)).Json;
        Assert.Equal((stripe.Host.AccountId, 1, 2, 3), ((string?)state["account"], (int)state["events_accepted"]!, (int)state["requests_answered"]!, (int)state["faults"]!["lose_replies"]!));
    }

    [Fact]
    public async Task Requests_ShowWhatTheClientSent_NewestOnly()
    {
        await using var stripe = await TestDouble.StartAsync(static options => options with { RememberedRequests = 2 });
        await stripe.CreateMeterAsync();
        await stripe.SendAsync("25.5", "id1", stripe.Now, key: "k1");
        await Refused.AsAsync(HttpStatusCode.BadRequest, () => stripe.SendAsync("x"));
        var requests = (await stripe.SendRawAsync(HttpMethod.Get, "/_double/requests", key: null)).Json["data"]!.AsArray();
        Assert.Equal([(2, 200), (3, 400)], requests.Select(static request => ((int)request!["number"]!, (int)request["status"]!)));

        var sent = stripe.Host.Requests[0];
        Assert.Equal(("POST", "/v1/billing/meter_events", "k1", Stripe.StripeConfiguration.ApiVersion), (sent.Method, sent.Path, sent.IdempotencyKey, sent.ApiVersion));
        Assert.Equal(
            ["event_name=tokens", "identifier=id1", "payload[stripe_customer_id]=cus_1", "payload[value]=25.5", $"timestamp={new DateTimeOffset(stripe.Now).ToUnixTimeSeconds()}"],
            sent.Parameters.Select(static pair => $"{pair.Key}={pair.Value}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Events_ArePagedInTheOrderOfReceipt()
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.CreateMeterAsync();
        await stripe.SendAsync("1", "id1");
        await stripe.SendAsync("-2.50", "id2");
        var events = (await stripe.SendRawAsync(HttpMethod.Get, "/_double/events?after=1", key: null)).Json["data"]!.AsArray();
        var second = Assert.Single(events)!;
        Assert.Equal(("id2", "-2.5", "cus_1", "tokens"), ((string?)second["identifier"], (string?)second["value"], (string?)second["customer"], (string?)second["event_name"]));
    }

    [Fact]
    public async Task Faults_SetPartly_KeepTheOthersAndTakeEffect()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        Assert.Equal(200, (await SetAsync(stripe, """{"rate_limit":1,"rate_limit_reason":"global-rate","summary_lag_ms":60000}""")).Status);
        Assert.Equal(200, (await SetAsync(stripe, """{"fail_after_commit":1}""")).Status);
        await Refused.AsAsync(HttpStatusCode.TooManyRequests, () => stripe.SendAsync("1"));
        await Refused.AsAsync(HttpStatusCode.InternalServerError, () => stripe.SendAsync("1"));
        Assert.Null(await stripe.TotalAsync(meter));
        Assert.Equal(200, (await stripe.SendRawAsync(HttpMethod.Delete, "/_double/faults", key: null)).Status);
        Assert.Equal(1, await stripe.TotalAsync(meter));
    }

    [Theory]
    [InlineData("""{"rate_limit":-1}""")]
    [InlineData("""{"rate_limits":1}""")]
    [InlineData("""{"rate_limit":"many"}""")]
    [InlineData("[1]")]
    [InlineData("{")]
    public async Task Faults_ThatMakeNoSense_AreRefusedAndChangeNothing(string body)
    {
        await using var stripe = await TestDouble.StartAsync();
        stripe.Faults.Conflict(2);
        var reply = await SetAsync(stripe, body);
        Assert.Equal(400, reply.Status);
        Assert.Equal(2, stripe.Faults.State.Conflict);
        Assert.Equal(0, stripe.Faults.State.RateLimit);
    }

    [Fact]
    public async Task UnknownControl_IsNotFound()
    {
        await using var stripe = await TestDouble.StartAsync();
        Assert.Equal(404, (await stripe.SendRawAsync(HttpMethod.Get, "/_double/none", key: null)).Status);
    }

    private static Task<RawReply> SetAsync(TestDouble stripe, string body) => stripe.SendRawAsync(
        HttpMethod.Post, "/_double/faults", key: null, change: request => request.Content = new StringContent(body, Encoding.UTF8, "application/json"));

    [Fact]
    public async Task Page_ShowsPeopleWhatTheDoubleHolds_AndLoadsNothing()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var stripe = await TestDouble.StartAsync(options => options with { WebhookUrl = receiver.Url, WebhookSecret = WebhookReceiver.Secret });
        var meter = await stripe.CreateMeterAsync();
        await stripe.SendAsync("12.5", "id<1>");
        var session = await stripe.OpenStreamAsync();
        var price = await stripe.Client.V1.Prices.CreateAsync(new PriceCreateOptions
        {
            Currency = "usd", UnitAmount = 5, ProductData = new PriceProductDataOptions { Name = "Tokens" },
            Recurring = new PriceRecurringOptions { Interval = "month", UsageType = "metered", Meter = meter.Id },
        });
        await stripe.Host.SettleAsync();
        receiver.Status = 503;
        var subscription = await stripe.Client.V1.Subscriptions.CreateAsync(
            new SubscriptionCreateOptions { Customer = "cus_1", Items = [new SubscriptionItemOptions { Price = price.Id }] });
        await stripe.Host.SettleAsync();

        var page = await stripe.SendRawAsync(HttpMethod.Get, "/_double/", key: null, change: static request => request.Headers.Accept.ParseAdd("text/html"));
        string[] shown =
        [
            meter.Id, "12.5", "id&lt;1&gt;", session.Id, subscription.Id, subscription.LatestInvoiceId,
            "price.created</td><td>1 times</td><td>taken</td><td>200 at ", "invoice.finalized</td><td>1 times</td><td>failed, sent again later</td><td>503 at ",
        ];
        Assert.All(shown, text => Assert.Contains(text, page.Body, StringComparison.Ordinal));
        Assert.DoesNotContain(session.AuthenticationToken, page.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("src=", page.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("<link", page.Body, StringComparison.Ordinal);
    }
}
