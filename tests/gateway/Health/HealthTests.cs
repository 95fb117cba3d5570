using System.Net;
using StripeMeter.Gateway.Tests.Kit;
using Xunit;

namespace StripeMeter.Gateway.Tests.Health;

public sealed class HealthTests : IClassFixture<RunningGateway>
{
    private readonly RunningGateway _gateway;

    public HealthTests(RunningGateway gateway)
    {
        _gateway = gateway;
        _gateway.Backend.Reset();
    }

    [Fact]
    public async Task Ready_EverythingAnswers_Is200()
    {
        var answer = await _gateway.GetAsync("/health/ready");

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal("healthy", answer.Json.GetProperty("status").GetString());
        Assert.Equal(
            ["aggregator", "ingest", "pricing", "pusher", "sidecar"],
            answer.Json.GetProperty("checks").EnumerateObject().Select(check => check.Name).Order());
    }

    [Theory]
    [InlineData("ingest")]
    [InlineData("aggregator")]
    [InlineData("pusher")]
    [InlineData("pricing")]
    public async Task Ready_ServiceThatIsNot_Is503AndNamesIt(string service)
    {
        _gateway.Backend.NotReady.Add(service);

        var answer = await _gateway.GetAsync("/health/ready");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.Status);
        Assert.Equal(
            [service],
            answer.Json.GetProperty("checks").EnumerateObject()
                .Where(check => !check.Value.GetProperty("ok").GetBoolean()).Select(check => check.Name));
    }

    [Fact]
    public async Task Live_DoesNotDependOnAnything()
    {
        _gateway.Backend.NotReady.UnionWith(["ingest", "aggregator", "pusher", "pricing"]);

        Assert.Equal("""{"status":"alive"}""", (await _gateway.GetAsync("/health/live")).Text);
        Assert.Equal("ok", (await _gateway.GetAsync("/health")).Json.GetProperty("status").GetString());
    }
}
