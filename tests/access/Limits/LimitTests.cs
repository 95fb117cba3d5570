using System.Globalization;
using Grpc.Core;
using StripeMeter.Access.Tests.Kit;
using StripeMeter.V1;
using Xunit;

namespace StripeMeter.Access.Tests.Limits;

/// <summary>A system whose limits are soon reached, and hardly fill again.</summary>
public sealed class LimitedSystem : GuardedSystem
{
    public const int KeyRequests = 20;
    public const int TenantRequests = 30;

    protected override IEnumerable<KeyValuePair<string, string?>> Settings =>
    [
        new("API_KEY_RATE_LIMIT", KeyRequests.ToString(CultureInfo.InvariantCulture)),
        new("TENANT_RATE_LIMIT", TenantRequests.ToString(CultureInfo.InvariantCulture)),
        new("TENANT_RATE_LIMIT_WINDOW", "3600"),
        new("API_ADDRESS_FAILURES", "5"),
    ];
}

public sealed class LimitTests(LimitedSystem system) : IClassFixture<LimitedSystem>
{
    [Fact]
    public async Task Requests_BeyondTheLimitOfAKeyOrItsTenant_AreTooMany()
    {
        var (first, second) = (await system.MakeKeyAsync("limited", "--name", "1"), await system.MakeKeyAsync("limited", "--name", "2"));
        var allowed = await system.GetAsync(first, "/v1/events");
        Assert.Equal($"\"default\";q={LimitedSystem.KeyRequests};w=3600", allowed.Headers["RateLimit-Policy"]);
        Assert.StartsWith($"\"default\";r={LimitedSystem.KeyRequests - 1};t=", allowed.Headers["RateLimit"], StringComparison.Ordinal);
        for (var request = 1; request < LimitedSystem.KeyRequests; request++)
            Assert.Equal(200, (await system.GetAsync(first, "/v1/events")).Code);

        var refused = await system.GetAsync(first, "/v1/events");

        Assert.Equal(429, refused.Code);
        Assert.Equal("Rate limit exceeded", (string?)refused.Json["error"]);
        Assert.True(int.Parse(refused.Headers["Retry-After"], CultureInfo.InvariantCulture) is > 0 and <= 180);
        Assert.Equal("0", refused.Headers["x-ratelimit-remaining"]);

        // The other key of the tenant has what the tenant has left.
        for (var request = LimitedSystem.KeyRequests; request < LimitedSystem.TenantRequests; request++)
            Assert.Equal(200, (await system.GetAsync(second, "/v1/events")).Code);
        Assert.Equal(429, (await system.GetAsync(second, "/v1/events")).Code);
        Assert.Equal(200, (await system.GetAsync(system.Beta, "/v1/events")).Code);
    }

    [Fact]
    public async Task GrpcCalls_BeyondTheLimit_AreExhausted()
    {
        var key = await system.MakeKeyAsync("limited over grpc");
        var events = new EventService.EventServiceClient(system.Grpc("ingest"));
        var headers = new Metadata { { "x-api-key", key } };
        for (var request = 0; request < LimitedSystem.KeyRequests; request++)
            await events.ListEventsAsync(new ListEventsRequest(), headers);

        var refusal = await Assert.ThrowsAsync<RpcException>(async () => await events.ListEventsAsync(new ListEventsRequest(), headers));

        Assert.Equal(StatusCode.ResourceExhausted, refusal.StatusCode);
        Assert.True(refusal.GetRpcStatus()!.GetDetail<Google.Rpc.RetryInfo>().RetryDelay.ToTimeSpan() > TimeSpan.Zero);
    }

    /// <summary>An address that says of itself whose it is, is not believed.</summary>
    [Fact]
    public async Task WrongKeys_FromOneAddress_AreSlowedDownWhateverItForwards()
    {
        var codes = new List<int>();
        for (var attempt = 0; attempt < 8; attempt++)
        {
            var answer = await system.SendAsync(
                "wrong", HttpMethod.Get, "/v1/events", null, ("X-Forwarded-For", $"10.0.0.{attempt}"), ("X-Forwarded-For", "127.0.0.1"));
            codes.Add(answer.Code);
        }

        Assert.Equal([401, 401, 401, 401, 401, 429, 429, 429], codes);
        Assert.Equal(200, (await system.GetAsync(system.Acme, "/v1/events")).Code);
    }

    [Fact]
    public async Task Answers_OfData_CarryHeadersAgainstBrowsersMakingMoreOfThem()
    {
        var answer = await system.SendAsync(system.Acme, HttpMethod.Get, "/v1/events", null, ("Origin", "https://elsewhere.example"));

        Assert.Equal("nosniff", answer.Headers["X-Content-Type-Options"]);
        Assert.Equal("DENY", answer.Headers["X-Frame-Options"]);
        Assert.Equal("default-src 'none'; frame-ancestors 'none'", answer.Headers["Content-Security-Policy"]);
        Assert.Equal("no-store", answer.Headers["Cache-Control"]);
        Assert.Equal("no-referrer", answer.Headers["Referrer-Policy"]);
        Assert.DoesNotContain("Access-Control-Allow-Origin", answer.Headers.Keys);
        Assert.DoesNotContain("Server", answer.Headers.Keys);
    }
}
