using StripeMeter.Access.Tests.Kit;
using Xunit;

namespace StripeMeter.Access.Tests.Limits;

/// <summary>A system behind proxies on this machine, which slows an address down after one failure.</summary>
public sealed class ProxiedSystem : GuardedSystem
{
    protected override IEnumerable<KeyValuePair<string, string?>> Settings =>
    [
        new("API_TRUSTED_PROXIES", "127.0.0.0/8, ::1, 10.1.0.0/16"), new("API_ADDRESS_FAILURES", "1"),
    ];
}

/// <summary>
/// Whose address counts behind proxies. One that failed once is answered 429 the next time, so an address shows by its second
/// failure. That nothing is believed without trusted proxies is shown beside the limits.
/// </summary>
public sealed class ForwardingTests(ProxiedSystem system) : IClassFixture<ProxiedSystem>
{
    [Fact]
    public async Task Address_FromATrustedProxy_IsTheClients()
    {
        Assert.Equal(401, await FailAsync("192.0.2.1"));
        Assert.Equal(429, await FailAsync("192.0.2.1"));
        Assert.Equal(401, await FailAsync("192.0.2.2"));
    }

    [Fact]
    public async Task Address_ThroughSeveralTrustedProxies_IsTheFirstBeforeThem()
    {
        Assert.Equal(401, await FailAsync("192.0.2.11, 10.1.0.1, 10.1.0.2"));
        Assert.Equal(429, await FailAsync("192.0.2.11, 10.1.0.3"));
        Assert.Equal(429, await FailAsync("192.0.2.11", "10.1.0.1"));
        Assert.Equal(401, await FailAsync("192.0.2.12, 10.1.0.1, 10.1.0.2"));
    }

    /// <summary>What stands before the address that a trusted proxy saw is the client's own tale.</summary>
    [Fact]
    public async Task Address_ThatAClientPutsBefore_IsNotBelieved()
    {
        Assert.Equal(401, await FailAsync("192.0.2.99, 192.0.2.21"));
        Assert.Equal(429, await FailAsync("192.0.2.98, 192.0.2.21"));
        Assert.Equal(429, await FailAsync("127.0.0.1, 192.0.2.21, 10.1.0.1"));
        Assert.Equal(401, await FailAsync("192.0.2.99"));
    }

    [Theory]
    [InlineData("not an address")]
    [InlineData("")]
    [InlineData("192.0.2.31:port, ::zz")]
    public async Task Address_ThatIsNone_IsTheProxys(string forwarded) => Assert.InRange(await FailAsync(forwarded), 401, 429);

    private async Task<int> FailAsync(params string[] forwarded) => (await system.SendAsync(
        "wrong", HttpMethod.Get, "/v1/events", null, [.. forwarded.Select(value => ("X-Forwarded-For", value))])).Code;
}
