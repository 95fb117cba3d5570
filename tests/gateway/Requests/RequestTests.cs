using StripeMeter.Gateway.Tests.Kit;
using Xunit;

namespace StripeMeter.Gateway.Tests.Requests;

public sealed class RequestTests(RunningGateway gateway) : IClassFixture<RunningGateway>
{
    [Fact]
    public async Task UnknownRoute_Is404Problem() =>
        Assert.Contains("GET /v1/nothing", (await gateway.GetAsync("/v1/nothing")).Problem(404).GetProperty("detail").GetString(), StringComparison.Ordinal);

    [Theory]
    [InlineData("DELETE", "/v1/events")]
    [InlineData("GET", "/v1/events/ingest")]
    [InlineData("PATCH", "/v1/mappings/x")]
    public async Task WrongMethod_Is405Problem(string method, string path)
    {
        var answer = await gateway.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));

        answer.Problem(405);
        Assert.NotEmpty(answer.Headers["Allow"]);
    }

    [Fact]
    public async Task RequestId_IsHonouredAndEchoed()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/nothing");
        request.Headers.Add("x-request-id", "trace-42");

        var answer = await gateway.SendAsync(request);

        Assert.Equal("trace-42", answer.Headers["x-request-id"]);
        Assert.Equal("trace-42", answer.Json.GetProperty("requestId").GetString());
    }

    /// <summary>Half of a surrogate pair in a name: JSON, but no text.</summary>
    [Fact]
    public async Task NamedRequest_WithAMemberWhoseNameIsNoText_Is400Problem() =>
        (await gateway.PostAsync("/v1/adjustments", """{"\ud800 that is longer than any":1}""", ("Idempotency-Key", "a name"))).Problem(400);

    [Theory]
    [InlineData("has space")]
    [InlineData("")]
    public async Task RequestId_ThatCannotBeUsed_IsReplaced(string sent)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/health");
        request.Headers.TryAddWithoutValidation("x-request-id", sent);

        var answer = await gateway.SendAsync(request);

        Assert.NotEqual(sent, answer.Headers["x-request-id"]);
        Assert.NotEmpty(answer.Headers["x-request-id"]);
    }

    [Fact]
    public async Task Metrics_RequestsAreLabelledByRouteTemplate()
    {
        gateway.Backend.Reset();
        await gateway.GetAsync("/v1/mappings/secret-id?tenantId=acme");
        await gateway.GetAsync("/v1/made/up/by/a/scanner");
        await gateway.PostAsync("/v1/events/ingest", """{"events":[{"tenantId":"a","metric":"m","customerRef":"c","quantity":1,"ts":"2026-01-01T00:00:00Z"}]}""");

        var metrics = await gateway.GetAsync("/metrics");

        Assert.Contains("""http_requests_total{otel_scope_name="StripeMeter.Gateway",method="GET",route="/v1/mappings/{id}",status_code="404"} """, metrics.Text, StringComparison.Ordinal);
        Assert.Contains("""route="unmatched",status_code="404"} """, metrics.Text, StringComparison.Ordinal);
        Assert.Contains("""http_request_duration_seconds_bucket{otel_scope_name="StripeMeter.Gateway",method="POST",route="/v1/events/ingest",le="0.01"} """, metrics.Text, StringComparison.Ordinal);
        Assert.Contains("""ingest_latency_ms_bucket{otel_scope_name="StripeMeter.Gateway",le="5"} """, metrics.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-id", metrics.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("scanner", metrics.Text, StringComparison.Ordinal);
    }
}
