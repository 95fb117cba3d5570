using System.Globalization;
using System.Net;
using StripeMeter.StripeDouble.Tests.Kit;

namespace StripeMeter.StripeDouble.Tests;

public sealed class MeterEventTests
{
    [Fact]
    public async Task Create_AnEvent_AnswersWithWhatWasSent()
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.CreateMeterAsync();
        var sent = await stripe.SendAsync("25.5", "id1", stripe.Now.AddMinutes(-3));
        Assert.Equal(("tokens", "id1", stripe.Now.AddMinutes(-3), stripe.Now, false), (sent.EventName, sent.Identifier, sent.Timestamp, sent.Created, sent.Livemode));
        Assert.Equal(new Dictionary<string, string> { ["stripe_customer_id"] = "cus_1", ["value"] = "25.5" }, sent.Payload);
    }

    [Fact]
    public async Task Create_WithoutIdentifierAndTimestamp_GetsBoth()
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.CreateMeterAsync();
        var (first, second) = (await stripe.SendAsync("1"), await stripe.SendAsync("1"));
        Assert.NotEqual(first.Identifier, second.Identifier);
        Assert.Equal(stripe.Now, first.Timestamp);
    }

    [Fact]
    public async Task Create_KnownIdentifier_IsRefusedWithTheExactMessageAndNoCode()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        await stripe.SendAsync("1", "id1");
        var refusal = await Refused.AsAsync(HttpStatusCode.BadRequest, () => stripe.SendAsync("2", "id1", customer: "cus_2"));
        Assert.Equal("An event already exists with identifier id1.", refusal.StripeError.Message);
        Assert.Equal(("invalid_request_error", null), (refusal.StripeError.Type, refusal.StripeError.Code));
        Assert.Equal("false", refusal.StripeResponse.Headers.GetValues("stripe-should-retry").Single());
        Assert.Equal((1, null), (await stripe.TotalAsync(meter), await stripe.TotalAsync(meter, "cus_2")));
    }

    [Fact]
    public async Task Create_SameIdentifierAfterTheWindow_CountsAgain()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        var at = stripe.Now;
        await stripe.SendAsync("5", "id1", at);
        stripe.Time.Advance(TimeSpan.FromHours(24) - TimeSpan.FromMilliseconds(1));
        await Refused.AsAsync(HttpStatusCode.BadRequest, () => stripe.SendAsync("5", "id1", at));
        stripe.Time.Advance(TimeSpan.FromMilliseconds(1));
        await stripe.SendAsync("5", "id1", at);
        Assert.Equal(10, (await stripe.SummariesAsync(meter, at.Date, at.Date.AddDays(1))).Single().AggregatedValue);
    }

    [Fact]
    public async Task Create_ShorterWindow_IsKept()
    {
        await using var stripe = await TestDouble.StartAsync(static options => options with { IdentifierWindow = TimeSpan.FromMinutes(1) });
        var meter = await stripe.CreateMeterAsync();
        await stripe.SendAsync("1", "id1");
        stripe.Time.Advance(TimeSpan.FromMinutes(1));
        await stripe.SendAsync("1", "id1");
        Assert.Equal(2, await stripe.TotalAsync(meter));
    }

    [Theory]
    [InlineData(-35 * 86_400, true)]
    [InlineData((-35 * 86_400) - 1, false)]
    [InlineData(300, true)]
    [InlineData(301, false)]
    public async Task Create_TimestampAtTheLimits_IsTakenOrRefused(int offsetSeconds, bool isTaken)
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.CreateMeterAsync();
        var at = stripe.Now.AddSeconds(offsetSeconds);
        if (isTaken)
            Assert.Equal(at, (await stripe.SendAsync("1", at: at)).Timestamp);
        else
            Assert.Equal("timestamp", (await Refused.AsAsync(HttpStatusCode.BadRequest, () => stripe.SendAsync("1", at: at))).StripeError.Param);
    }

    [Theory]
    [InlineData("999999999999999")]
    [InlineData("-999999999999999")]
    [InlineData("0.000000000001")]
    [InlineData("-0.5")]
    [InlineData("123.456789012345")]
    [InlineData("000000000000000000001")]
    public async Task Create_ValueWithinTheDigits_CountsExactly(string value)
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        await stripe.SendAsync(value);
        Assert.Equal(decimal.Parse(value, CultureInfo.InvariantCulture), await stripe.TotalAsync(meter));
    }

    [Theory]
    [InlineData("1234567890123456")]
    [InlineData("1.234567890123456")]
    [InlineData("1.000000000000000")]
    [InlineData("0.0000000000001")]
    [InlineData("1e3")]
    [InlineData("+1")]
    [InlineData("1,5")]
    [InlineData(".5")]
    [InlineData("5.")]
    [InlineData("-")]
    [InlineData("NaN")]
    [InlineData(" 1")]
    [InlineData("٣")]
    public async Task Create_ValueThatIsNone_IsRefusedAndCountsNothing(string value)
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        var refusal = await Refused.AsAsync(HttpStatusCode.BadRequest, () => stripe.SendAsync(value));
        Assert.Equal("payload[value]", refusal.StripeError.Param);
        Assert.Null(await stripe.TotalAsync(meter));
    }

    [Theory]
    [InlineData("event_name=tokens&payload[value]=1", "payload[stripe_customer_id]")]
    [InlineData("event_name=tokens&payload[stripe_customer_id]=cus_1", "payload[value]")]
    [InlineData("event_name=tokens&payload[stripe_customer_id]=cus_1&payload[value]=", "payload[value]")]
    [InlineData("event_name=tokens&payload=1", "payload")]
    [InlineData("event_name=tokens&payload[stripe_customer_id]=cus_1&payload[value][a]=1", "payload[value]")]
    [InlineData("event_name[a]=tokens&payload[stripe_customer_id]=cus_1&payload[value]=1", "event_name")]
    [InlineData("event_name=tokens&payload[stripe_customer_id]=cus_1&payload[value]=1&timestamp=soon", "timestamp")]
    [InlineData("event_name=tokens&payload[stripe_customer_id]=cus_1&payload[value]=1&timestamp=1.5", "timestamp")]
    public async Task Create_PayloadOrTimestampThatBreaksARule_NamesTheParameter(string form, string parameter)
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.CreateMeterAsync();
        var reply = await stripe.SendRawAsync(HttpMethod.Post, "/v1/billing/meter_events", form);
        Assert.Equal((400, parameter), (reply.Status, reply.Parameter));
    }

    [Fact]
    public async Task Create_TextsBeyondTheirLength_AreRefused()
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.CreateMeterAsync();
        var tooLong = new string('x', 101);
        Assert.Equal("identifier", (await Refused.AsAsync(HttpStatusCode.BadRequest, () => stripe.SendAsync("1", tooLong))).StripeError.Param);
        Assert.Equal("event_name", (await Refused.AsAsync(HttpStatusCode.BadRequest, () => stripe.SendAsync("1", eventName: tooLong))).StripeError.Param);
        Assert.Equal("payload[stripe_customer_id]", (await Refused.AsAsync(HttpStatusCode.BadRequest, () => stripe.SendAsync("1", customer: tooLong))).StripeError.Param);
        await stripe.SendAsync("1", tooLong[1..]);
    }

    [Fact]
    public async Task Create_UnknownEventName_IsRefused()
    {
        await using var stripe = await TestDouble.StartAsync();
        var refusal = await Refused.AsAsync(HttpStatusCode.BadRequest, () => stripe.SendAsync("1"));
        Assert.StartsWith("No active meter found for event name tokens", refusal.StripeError.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_UnknownCustomerWhereRequired_IsTakenAndRejectedAfterwards()
    {
        await using var stripe = await TestDouble.StartAsync(static options => options with { RequireKnownCustomers = true });
        var meter = await stripe.CreateMeterAsync();
        var customer = await stripe.Client.V1.Customers.CreateAsync(new Stripe.CustomerCreateOptions { Name = "A" });
        await stripe.SendAsync("1", "id1", customer: "cus_none");
        await stripe.SendAsync("1", customer: customer.Id);
        Assert.Equal(1, await stripe.TotalAsync(meter, customer.Id));
        Assert.Equal("meter_event_customer_not_found", stripe.Host.ReadEvents()[0].Excluded);
        await Refused.AsAsync(HttpStatusCode.BadRequest, () => stripe.TotalAsync(meter, "cus_none"));
        await Refused.AsAsync(HttpStatusCode.BadRequest, () => stripe.SendAsync("1", "id1", customer: customer.Id));
    }

    [Fact]
    public async Task Create_ManyAtOnce_CountsEachOnce()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        const int customers = 32, events = 50;
        await Parallel.ForEachAsync(Enumerable.Range(0, customers), new ParallelOptions { MaxDegreeOfParallelism = customers }, async (customer, _) =>
        {
            for (var number = 0; number < events; number++)
                await stripe.SendAsync("0.1", $"{customer}-{number}", customer: $"cus_{customer}");
        });
        for (var customer = 0; customer < customers; customer++)
            Assert.Equal(5.0m, await stripe.TotalAsync(meter, $"cus_{customer}"));
    }
}
