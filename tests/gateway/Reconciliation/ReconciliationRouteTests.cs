using System.Net;
using StripeMeter.Gateway.Tests.Kit;
using Xunit;

namespace StripeMeter.Gateway.Tests.Reconciliation;

/// <summary>What is refused before anything is compared.</summary>
public sealed class ReconciliationRouteTests(RunningGateway gateway) : IClassFixture<RunningGateway>
{
    [Theory]
    [InlineData("/v1/reconciliation/2026-13?tenantId=acme", "period must be a month")]
    [InlineData("/v1/reconciliation/9999-12?tenantId=acme", "period must be a month")]
    [InlineData("/v1/reconciliation/2026-01", "tenantId is required")]
    [InlineData("/v1/reconciliation/2026-01?tenantId=acme&format=xml", "format must be one of")]
    [InlineData("/v1/reconciliation/summary?tenantId=acme", "periodStart is required")]
    [InlineData("/v1/reconciliation/summary?tenantId=acme&periodStart=2026-02&periodEnd=2026-01", "periodEnd must not be before periodStart")]
    [InlineData("/v1/reconciliation/summary?tenantId=acme&period=last", "period must be a month")]
    [InlineData("/v1/reconciliation/history?tenantId=acme", "reportId is required")]
    [InlineData("/v1/pushes?tenantId=acme", "idempotencyKey is required")]
    public async Task Get_ThatMakesNoSense_IsRefusedByName(string address, string problem)
    {
        var answer = await gateway.GetAsync(address);
        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Contains(problem, answer.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v1/reconciliation/run", "{}", "tenantId is required")]
    [InlineData("/v1/reconciliation/run", """{"tenantId":"acme","full":"yes"}""", "full must be true or false")]
    [InlineData("/v1/reconciliation/adjustments", """{"tenantId":"acme"}""", "adjustmentIds must have 1 to 1000 ids")]
    [InlineData("/v1/reconciliation/adjustments", """{"tenantId":"acme","adjustmentIds":[1]}""", "adjustmentIds must be a list of strings")]
    [InlineData("/v1/reconciliation/adjustments", """{"tenantId":"acme","ids":["a"]}""", "ids is not known")]
    public async Task Post_ThatMakesNoSense_IsRefusedByName(string address, string body, string problem)
    {
        var answer = await gateway.PostAsync(address, body);
        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Contains(problem, answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Adjustments_OfTooManyBytes_AreRefused()
    {
        var answer = await gateway.PostAsync("/v1/reconciliation/adjustments", $$"""{"tenantId":"acme","adjustmentIds":["{{new string('a', 262_144)}}"]}""");
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.Status);
    }
}
