using System.Net;
using System.Text;
using StripeMeter.StripeDouble.Tests.Kit;

namespace StripeMeter.StripeDouble.Tests;

/// <summary>Requests that the client would never send.</summary>
public sealed class RefusalTests
{
    private const string Events = "/v1/billing/meter_events";
    private const string GoodEvent = "event_name=tokens&payload[stripe_customer_id]=cus_1&payload[value]=1";

    [Theory]
    [InlineData(null)]
    [InlineData("sk_live_1")]
    [InlineData("sk_test_")]
    [InlineData("pk_test_1")]
    [InlineData("x")]
    public async Task AnyRequest_WithoutATestKey_IsUnauthorized(string? key)
    {
        await using var stripe = await TestDouble.StartAsync();
        foreach (var path in new[] { "/v1/account", "/v1/none" })
        {
            var reply = await stripe.SendRawAsync(HttpMethod.Get, path, key: key);
            Assert.Equal((401, "invalid_request_error"), (reply.Status, reply.Type));
            Assert.StartsWith("req_", reply.Header("Request-Id"), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("GET", "/v1/account", 200)]
    [InlineData("POST", "/v1/customers", 403)]
    [InlineData("POST", "/v2/billing/meter_event_session", 403)]
    [InlineData("DELETE", "/v1/subscriptions/sub_1", 403)]
    public async Task AnyRequest_WithAKeyThatMayOnlyRead_WritesNothing(string method, string path, int status)
    {
        await using var stripe = await TestDouble.StartAsync();
        Assert.Equal(status, (await stripe.SendRawAsync(new HttpMethod(method), path, key: "rk_test_read_1")).Status);
        Assert.Empty(await stripe.Client.V1.Customers.ListAsync());
    }

    [Theory]
    [InlineData("Basic", "sk_test_1:", 200)]
    [InlineData("Basic", "rk_test_1:ignored", 200)]
    [InlineData("Basic", "nobody:sk_test_1", 401)]
    public async Task AnyRequest_BasicAuthentication_TakesTheKeyAsTheName(string scheme, string credentials, int status)
    {
        await using var stripe = await TestDouble.StartAsync();
        var reply = await stripe.SendRawAsync(HttpMethod.Get, "/v1/account", key: null, change: request =>
            request.Headers.Authorization = new(scheme, Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials))));
        Assert.Equal(status, reply.Status);
    }

    [Theory]
    [InlineData("GET", "/")]
    [InlineData("GET", "/v1/none")]
    [InlineData("GET", "/v1/billing/meter_events")]
    [InlineData("DELETE", "/v1/customers/cus_1")]
    [InlineData("GET", "/v1/billing/meters/")]
    [InlineData("POST", "/v1/billing/meter_event_stream")]
    public async Task UnknownPath_IsNotFoundInStripesShape(string method, string path)
    {
        await using var stripe = await TestDouble.StartAsync();
        var reply = await stripe.SendRawAsync(new HttpMethod(method), path);
        Assert.Equal((404, "invalid_request_error"), (reply.Status, reply.Type));
        Assert.Contains(path, (string)reply.Json["error"]!["message"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("application/json", "{}")]
    [InlineData("application/x-www-form-urlencoded", "event_name=%ff")]
    [InlineData("application/x-www-form-urlencoded", "event_name=%zz")]
    [InlineData("application/x-www-form-urlencoded", "event_name=%2")]
    [InlineData("application/x-www-form-urlencoded", "payload[a=1")]
    [InlineData("application/x-www-form-urlencoded", "payload[a]b=1")]
    [InlineData("application/x-www-form-urlencoded", "payload[a[b]]=1")]
    [InlineData("application/x-www-form-urlencoded", "[a]=1")]
    [InlineData("application/x-www-form-urlencoded", "a[b][c][d][e][f][g]=1")]
    [InlineData("application/x-www-form-urlencoded", GoodEvent + "&payload=1")]
    [InlineData("application/x-www-form-urlencoded", "payload=1&" + GoodEvent)]
    public async Task BodyThatCannotBeRead_IsRefusedAndChangesNothing(string contentType, string body)
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.CreateMeterAsync();
        var reply = await stripe.SendRawAsync(HttpMethod.Post, Events, change: request => request.Content = new StringContent(body, Encoding.UTF8, contentType));
        Assert.Equal((400, "invalid_request_error"), (reply.Status, reply.Type));
        Assert.Empty(stripe.Host.ReadEvents());
    }

    [Fact]
    public async Task BodyBeyondTheLimit_IsRefused()
    {
        await using var stripe = await TestDouble.StartAsync(static options => options with { MaximumRequestBytes = 1_000, MaximumParameters = 10 });
        await stripe.CreateMeterAsync();
        var large = await stripe.SendRawAsync(HttpMethod.Post, Events, $"{GoodEvent}&identifier={new string('x', 1_000)}");
        Assert.Equal((413, "invalid_request_error"), (large.Status, large.Type));
        var many = await stripe.SendRawAsync(HttpMethod.Post, Events, string.Join('&', Enumerable.Range(0, 11).Select(static number => $"a{number}=1")));
        Assert.Equal(400, many.Status);
        Assert.Equal(200, (await stripe.SendRawAsync(HttpMethod.Post, Events, GoodEvent)).Status);
    }

    [Fact]
    public async Task RequestOfTheClient_VersionAndKey_ComeBackInTheHeaders()
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.CreateMeterAsync();
        var sent = await stripe.SendAsync("1", key: "k1");
        Assert.Equal(("k1", Stripe.StripeConfiguration.ApiVersion), (sent.StripeResponse.IdempotencyKey, sent.StripeResponse.Headers.GetValues("Stripe-Version").Single()));
        Assert.Equal(HttpStatusCode.OK, sent.StripeResponse.StatusCode);
    }
}
