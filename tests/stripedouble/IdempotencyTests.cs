using System.Net;
using Stripe;
using StripeMeter.StripeDouble.Tests.Kit;

namespace StripeMeter.StripeDouble.Tests;

public sealed class IdempotencyTests
{
    [Fact]
    public async Task Post_SameKeyAndParameters_ReplaysTheReply()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        var first = await stripe.SendAsync("1", key: "k1");
        stripe.Time.Advance(TimeSpan.FromHours(24) - TimeSpan.FromMilliseconds(1));
        var second = await stripe.SendAsync("1", key: "k1");
        Assert.Equal(first.StripeResponse.Content, second.StripeResponse.Content);
        Assert.False(first.StripeResponse.Headers.Contains("Idempotent-Replayed"));
        Assert.Equal("true", second.StripeResponse.Headers.GetValues("Idempotent-Replayed").Single());
        Assert.NotEqual(first.StripeResponse.RequestId, second.StripeResponse.RequestId);
        Assert.Single(stripe.Host.ReadEvents());
        Assert.Single(await stripe.SummariesAsync(meter, first.Timestamp.Date, first.Timestamp.Date.AddDays(1)));
    }

    [Fact]
    public async Task Post_SameKeyAfterADay_IsANewRequest()
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.CreateMeterAsync();
        await stripe.SendAsync("1", key: "k1");
        stripe.Time.Advance(TimeSpan.FromHours(24));
        await stripe.SendAsync("2", key: "k1");
        Assert.Equal(2, stripe.Host.ReadEvents().Count);
    }

    [Fact]
    public async Task Post_SameKeyOtherParametersOrPath_IsAnIdempotencyError()
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.CreateMeterAsync();
        await stripe.SendAsync("1", key: "k1");
        var other = await Refused.AsAsync(HttpStatusCode.BadRequest, () => stripe.SendAsync("2", key: "k1"));
        Assert.Equal("idempotency_error", other.StripeError.Type);
        var path = await Refused.AsAsync(HttpStatusCode.BadRequest, () =>
            stripe.Client.V1.Customers.CreateAsync(new CustomerCreateOptions(), new RequestOptions { IdempotencyKey = "k1" }));
        Assert.Equal("idempotency_error", path.StripeError.Type);
        Assert.Single(stripe.Host.ReadEvents());
    }

    [Fact]
    public async Task Post_DuplicateRefusal_IsReplayedWithItsHeaders()
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.CreateMeterAsync();
        await stripe.SendAsync("1", "id1");
        await Refused.AsAsync(HttpStatusCode.BadRequest, () => stripe.SendAsync("1", "id1", key: "k2"));
        var again = await Refused.AsAsync(HttpStatusCode.BadRequest, () => stripe.SendAsync("1", "id1", key: "k2"));
        Assert.Equal("An event already exists with identifier id1.", again.StripeError.Message);
        Assert.Equal("true", again.StripeResponse.Headers.GetValues("Idempotent-Replayed").Single());
        Assert.Equal("false", again.StripeResponse.Headers.GetValues("stripe-should-retry").Single());
    }

    [Fact]
    public async Task Post_ValidationFailure_IsNotStored()
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.CreateMeterAsync();
        await Refused.AsAsync(HttpStatusCode.BadRequest, () => stripe.SendAsync("none", key: "k1"));
        await stripe.SendAsync("1", key: "k1");
        Assert.Single(stripe.Host.ReadEvents());
    }

    [Fact]
    public async Task Post_RateLimitAndConflict_AreNotStored()
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.CreateMeterAsync();
        stripe.Faults.RateLimit(1);
        stripe.Faults.Conflict(1);
        await Refused.AsAsync(HttpStatusCode.TooManyRequests, () => stripe.SendAsync("1", key: "k1"));
        await Refused.AsAsync(HttpStatusCode.Conflict, () => stripe.SendAsync("1", key: "k1"));
        await stripe.SendAsync("1", key: "k1");
        Assert.Single(stripe.Host.ReadEvents());
    }

    [Fact]
    public async Task Post_KeyInUse_IsAConflict()
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.CreateMeterAsync();
        using var held = stripe.Faults.HoldEvents();
        var first = stripe.SendAsync("1", key: "k1");
        await held.ArrivedAsync().WaitAsync(Patience.Limit);
        var refusal = await Refused.AsAsync(HttpStatusCode.Conflict, () => stripe.SendAsync("1", key: "k1"));
        Assert.Equal(("idempotency_error", "idempotency_key_in_use"), (refusal.StripeError.Type, refusal.StripeError.Code));
        held.Dispose();
        await first;
        Assert.Single(stripe.Host.ReadEvents());
    }

    [Fact]
    public async Task Post_KeyBeyond255Characters_IsRefused()
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.CreateMeterAsync();
        await stripe.SendAsync("1", key: new string('k', 255));
        await Refused.AsAsync(HttpStatusCode.BadRequest, () => stripe.SendAsync("1", key: new string('k', 256)));
    }

    [Fact]
    public async Task Post_ManyKeysOverDays_OldOnesAreDropped()
    {
        await using var stripe = await TestDouble.StartAsync();
        for (var number = 0; number < 40; number++)
        {
            await stripe.Client.V1.Customers.CreateAsync(new CustomerCreateOptions(), new RequestOptions { IdempotencyKey = $"k{number}" });
            stripe.Time.Advance(TimeSpan.FromHours(6));
        }

        Assert.InRange(await stripe.CountRowsAsync("replies"), 1, 5);
    }
}
