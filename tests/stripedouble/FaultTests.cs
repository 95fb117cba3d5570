using System.Net;
using Stripe;
using StripeMeter.StripeDouble.Tests.Kit;

namespace StripeMeter.StripeDouble.Tests;

public sealed class FaultTests
{
    [Fact]
    public async Task LoseReplies_TheEventIsTakenAndTheSameKeyGetsTheReply()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        stripe.Faults.LoseReplies(1);
        await Assert.ThrowsAsync<HttpRequestException>(() => stripe.SendAsync("5", "id1", key: "k1"));
        Assert.Equal(5, await stripe.TotalAsync(meter));
        Assert.True(stripe.Host.Requests.Single(static request => request.IdempotencyKey == "k1").IsLost);
        var replay = await stripe.SendAsync("5", "id1", key: "k1");
        Assert.Equal("id1", replay.Identifier);
        var refusal = await Refused.AsAsync(HttpStatusCode.BadRequest, () => stripe.SendAsync("5", "id1", key: "k2"));
        Assert.Equal("An event already exists with identifier id1.", refusal.StripeError.Message);
        Assert.Equal(5, await stripe.TotalAsync(meter));
    }

    [Fact]
    public async Task LoseReplies_ClientThatRetriesByItself_CountsOnce()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        stripe.Faults.LoseReplies(1);
        using var http = new HttpClient();
        await stripe.ClientWith(http, retries: 2).V1.Billing.MeterEvents.CreateAsync(new Stripe.Billing.MeterEventCreateOptions
        {
            EventName = "tokens", Payload = new() { ["stripe_customer_id"] = "cus_1", ["value"] = "5" },
        });
        Assert.Equal(5, await stripe.TotalAsync(meter));
        var attempts = stripe.Host.Requests.Where(static request => request.Path.EndsWith("/meter_events", StringComparison.Ordinal));
        Assert.Equal([(true, false), (false, true)], attempts.Select(static request => (request.IsLost, request.IsReplayed)));
    }

    [Fact]
    public async Task FailBeforeCommit_The500IsStoredAndAFreshKeySettlesThatNothingLanded()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        stripe.Faults.FailBeforeCommit(1);
        var failure = await Refused.AsAsync(HttpStatusCode.InternalServerError, () => stripe.SendAsync("5", "id1", key: "k1"));
        Assert.Equal("api_error", failure.StripeError.Type);
        await Refused.AsAsync(HttpStatusCode.InternalServerError, () => stripe.SendAsync("5", "id1", key: "k1"));
        Assert.Null(await stripe.TotalAsync(meter));
        await stripe.SendAsync("5", "id1", key: "k2");
        Assert.Equal(5, await stripe.TotalAsync(meter));
    }

    [Fact]
    public async Task FailAfterCommit_The500IsStoredAndAFreshKeySettlesThatItLanded()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        stripe.Faults.FailAfterCommit(1);
        await Refused.AsAsync(HttpStatusCode.InternalServerError, () => stripe.SendAsync("5", "id1", key: "k1"));
        var replay = await Refused.AsAsync(HttpStatusCode.InternalServerError, () => stripe.SendAsync("5", "id1", key: "k1"));
        Assert.Equal("true", replay.StripeResponse.Headers.GetValues("Idempotent-Replayed").Single());
        var refusal = await Refused.AsAsync(HttpStatusCode.BadRequest, () => stripe.SendAsync("5", "id1", key: "k2"));
        Assert.Equal("An event already exists with identifier id1.", refusal.StripeError.Message);
        Assert.Equal(5, await stripe.TotalAsync(meter));
    }

    [Theory]
    [InlineData("endpoint-rate", "rate_limit")]
    [InlineData(null, "lock_timeout")]
    public async Task RateLimit_Answers429WithItsReasonForAsManyAsSaid(string? reason, string code)
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.CreateMeterAsync();
        stripe.Faults.RateLimit(2, reason);
        for (var attempt = 0; attempt < 2; attempt++)
        {
            var refusal = await Refused.AsAsync(HttpStatusCode.TooManyRequests, () => stripe.SendAsync("1"));
            Assert.Equal(code, refusal.StripeError.Code);
            Assert.Equal(reason, refusal.StripeResponse.Headers.TryGetValues("Stripe-Rate-Limited-Reason", out var values) ? values.Single() : null);
        }

        await stripe.SendAsync("1");
    }

    [Fact]
    public async Task RejectLater_Answers200AndNeverCounts()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        stripe.Faults.RejectLater(1, "archived_meter");
        await stripe.SendAsync("5", "id1");
        await stripe.SendAsync("1", "id2");
        Assert.Equal(1, await stripe.TotalAsync(meter));
        Assert.Equal(["archived_meter", null], stripe.Host.ReadEvents().Select(static taken => taken.Excluded));
        await Refused.AsAsync(HttpStatusCode.BadRequest, () => stripe.SendAsync("5", "id1"));
    }

    [Fact]
    public async Task Concurrency_SecondCallForTheSameCustomerAndMeter_IsAConflict()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        await stripe.CreateMeterAsync("calls");
        using var held = stripe.Faults.HoldEvents();
        var first = stripe.SendAsync("1", "id1");
        await held.ArrivedAsync().WaitAsync(Patience.Limit);
        await Refused.AsAsync(HttpStatusCode.Conflict, () => stripe.SendAsync("1", "id2"));
        var otherCustomer = stripe.SendAsync("1", "id3", customer: "cus_2");
        var otherMeter = stripe.SendAsync("1", "id4", eventName: "calls");
        await held.ArrivedAsync().WaitAsync(Patience.Limit);
        await held.ArrivedAsync().WaitAsync(Patience.Limit);
        held.Dispose();
        await Task.WhenAll(first, otherCustomer, otherMeter);
        await stripe.SendAsync("1", "id2");
        Assert.Equal(2, await stripe.TotalAsync(meter));
    }

    [Fact]
    public async Task HoldEvents_ClientThatGivesUp_TheEventIsTakenAllTheSame()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        using var held = stripe.Faults.HoldEvents();
        using var patience = new CancellationTokenSource();
        var sending = stripe.Client.V1.Billing.MeterEvents.CreateAsync(
            new Stripe.Billing.MeterEventCreateOptions { EventName = "tokens", Identifier = "id1", Payload = new() { ["stripe_customer_id"] = "cus_1", ["value"] = "5" } },
            new RequestOptions { IdempotencyKey = "k1" }, patience.Token);
        await held.ArrivedAsync().WaitAsync(Patience.Limit);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
        Assert.Null(await stripe.TotalAsync(meter));
        held.Dispose();
        await Patience.UntilAsync(async () => await stripe.TotalAsync(meter) == 5, "the event is taken");
    }

    [Fact]
    public async Task Clear_EndsEveryFault()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        stripe.Faults.RateLimit(9);
        stripe.Faults.Conflict(9);
        stripe.Faults.FailBeforeCommit(9);
        stripe.Faults.FailAfterCommit(9);
        stripe.Faults.LoseReplies(9);
        stripe.Faults.RejectLater(9);
        stripe.Faults.SummaryLag = TimeSpan.FromHours(1);
        stripe.Faults.Clear();
        await stripe.SendAsync("1");
        Assert.Equal(1, await stripe.TotalAsync(meter));
    }
}
