using System.Net.Http.Json;
using Grpc.Core;
using StripeMeter.Gateway.Tests.Kit;
using StripeMeter.Kits.Waiting;
using StripeMeter.V1;
using Xunit;

namespace StripeMeter.Gateway.Tests.Requests;

/// <summary>A deadline that passes while a service is being waited for: the wait ends at every hop, and the service is told.</summary>
public sealed class DeadlineTests
{
    private static readonly TimeSpan Given = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData("ingest", "GET", "/v1/events?tenantId=acme")]
    [InlineData("ingest", "POST", "/v1/events/ingest")]
    [InlineData("aggregator", "GET", "/v1/usage/current?tenantId=acme&customerRef=c")]
    [InlineData("pusher", "GET", "/v1/mappings?tenantId=acme")]
    [InlineData("pricing", "POST", "/v1/usage/projection")]
    public async Task Gateway_WhileAServiceIsSilent_AnswersInTimeAndLetsItGo(string app, string method, string address)
    {
        var gateway = new RunningGateway();
        gateway.Settings["GATEWAY_CALL_TIMEOUT_SECONDS"] = "1";
        await gateway.InitializeAsync();
        await using var running = gateway;
        gateway.Backend.Silent = app;
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(address, UriKind.Relative));
        if (method == "POST")
            request.Content = JsonContent.Create(BodyOf(address));

        using var answer = await gateway.Http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter);
        await Patience.UntilAsync(() => !gateway.Backend.GivenUp.IsEmpty);
    }

    /// <summary>The service that is called asks others with the deadline that it was given, not with one of its own.</summary>
    [Theory]
    [InlineData("aggregator")]
    [InlineData("pusher")]
    public async Task Pricing_WhileAServiceIsSilent_GivesUpWithItsCaller(string app)
    {
        var pricing = new RunningPricing();
        await pricing.InitializeAsync();
        await using var running = pricing;
        pricing.Backend.Silent = app;
        var deadline = TimeProvider.System.GetUtcNow().UtcDateTime + Given;

        var problem = await Assert.ThrowsAsync<RpcException>(async () => await new PricingService.PricingServiceClient(pricing.Channel)
            .GetProjectionAsync(new GetProjectionRequest { TenantId = "acme", CustomerRef = "c" }, deadline: deadline));

        Assert.Equal(StatusCode.DeadlineExceeded, problem.StatusCode);
        await Patience.UntilAsync(() => !pricing.Backend.GivenUp.IsEmpty);
        Assert.All(pricing.Backend.GivenUp, call => Assert.InRange(call.Deadline, deadline - Given - Given, deadline + Tolerance));
    }

    private static object BodyOf(string address) => address.EndsWith("ingest", StringComparison.Ordinal)
        ? new { events = new[] { new { tenantId = "acme", metric = "m", customerRef = "c", quantity = 1, ts = TimeProvider.System.GetUtcNow() } } }
        : new { tenantId = "acme", customerRef = "c" };
}
