using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace StripeMeter.EndToEnd.Tests;

/// <summary>Bad input gets a precise answer and changes nothing. Nothing answers 500.</summary>
public sealed class RefusalTests : IClassFixture<RefusalTests.Fixture>
{
    private const string Tenant = "refusals";
    private readonly EmbeddedSystem _system;

    public RefusalTests(Fixture fixture) => _system = fixture.System;

    public static TheoryData<string, string, HttpStatusCode> UnreadableRequests => new()
    {
        { "{\"events\":[", "application/json", HttpStatusCode.BadRequest },
        { "[]", "application/json", HttpStatusCode.BadRequest },
        { "{}", "application/json", HttpStatusCode.BadRequest },
        { "{\"events\":[]}", "application/json", HttpStatusCode.BadRequest },
        { "{\"events\":{}}", "application/json", HttpStatusCode.BadRequest },
        { "hello", "text/plain", HttpStatusCode.UnsupportedMediaType },
        { $"{{\"events\":[{string.Join(',', Enumerable.Repeat("{}", 1_001))}]}}", "application/json", HttpStatusCode.BadRequest },
        { new string(' ', 2_000_000), "application/json", HttpStatusCode.RequestEntityTooLarge },
    };

    public static TheoryData<string, string, string> BadFields => new()
    {
        { "metric", "null", "metric" },
        { "metric", $"\"{new string('m', 256)}\"", "metric" },
        { "metric", "5", "metric" },
        { "customerRef", "\"\"", "customerRef" },
        { "tenantId", "\"line\\nbreak\"", "tenantId" },
        { "quantity", "0", "quantity" },
        { "quantity", "-1", "quantity" },
        { "quantity", "true", "quantity" },
        { "quantity", "\"many\"", "quantity" },
        { "quantity", "1234567890123456", "quantity" },
        { "quantity", "0.1234567890123", "quantity" },
        { "quantity", "1e400", "quantity" },
        { "ts", "\"2026-01-01T00:00:00\"", "ts" },
        { "ts", "\"2026-01-01\"", "ts" },
        { "ts", "\"2999-01-01T00:00:00Z\"", "ts" },
        { "ts", "\"2026-01-01T00:00:00.00000001Z\"", "ts" },
        { "meta", $"{{\"a\":\"{new string('x', 5_000)}\"}}", "meta" },
        { "meta", "[1]", "meta" },
        { "idempotencyKey", $"\"{new string('k', 256)}\"", "idempotencyKey" },
    };

    [Theory]
    [MemberData(nameof(UnreadableRequests))]
    public async Task Ingest_UnreadableRequest_IsAProblemDocument(string body, string contentType, HttpStatusCode expected)
    {
        using var response = await PostAsync(Encoding.UTF8.GetBytes(body), contentType);
        await AssertProblemAsync(response, expected);
    }

    [Fact]
    public async Task Ingest_InvalidUtf8_IsAProblemDocument()
    {
        var body = Encoding.UTF8.GetBytes(Body(Good("x")));
        body[Array.IndexOf(body, (byte)'x')] = 0xFF;
        using var response = await PostAsync(body, "application/json");
        await AssertProblemAsync(response, HttpStatusCode.BadRequest);
    }

    [Theory]
    [MemberData(nameof(BadFields))]
    public async Task Ingest_OneBadEventAmongGood_IsRefusedAloneWithFieldAndReason(string field, string value, string named)
    {
        var bad = Good("bad");
        bad[field] = JsonNode.Parse(value);
        var key = Guid.NewGuid().ToString("N");
        using var response = await PostAsync(Encoding.UTF8.GetBytes(Body(Good(key + "a"), bad, Good(key + "b"))), "application/json");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var results = JsonNode.Parse(await response.Content.ReadAsStringAsync())!["results"]!.AsArray();
        Assert.Equal(["accepted", "error", "accepted"], results.Select(result => (string)result!["status"]!));
        Assert.Equal(1, (int)results[1]!["index"]!);
        Assert.Equal(named, (string)results[1]!["field"]!);
        Assert.NotEqual("", (string)results[1]!["reason"]!);
    }

    [Fact]
    public async Task Ingest_EveryEventBad_IsABadRequest()
    {
        var bad = Good("bad");
        bad["quantity"] = 0;
        using var response = await PostAsync(Encoding.UTF8.GetBytes(Body(bad)), "application/json");
        await AssertProblemAsync(response, HttpStatusCode.BadRequest);
    }

    private static async Task AssertProblemAsync(HttpResponseMessage response, HttpStatusCode expected)
    {
        Assert.Equal(expected, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var problem = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        Assert.Equal((int)expected, (int)problem["status"]!);
        Assert.NotNull(problem["title"]);
        Assert.NotNull(problem["detail"]);
    }

    private Task<HttpResponseMessage> PostAsync(byte[] body, string contentType)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = new(contentType);
        return _system.Rest.PostAsync(new Uri("/v1/events/ingest", UriKind.Relative), content);
    }

    private static string Body(params JsonObject[] events) =>
        new JsonObject { ["events"] = new JsonArray([.. events.Select(usage => usage.DeepClone())]) }.ToJsonString();

    private static JsonObject Good(string key) => new()
    {
        ["tenantId"] = Tenant, ["metric"] = "m", ["customerRef"] = "cus_1", ["quantity"] = 1,
        ["ts"] = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        ["idempotencyKey"] = key,
    };

    public sealed class Fixture : IAsyncLifetime
    {
        public EmbeddedSystem System { get; private set; } = null!;

        public async ValueTask InitializeAsync() => System = await EmbeddedSystem.StartAsync();

        public ValueTask DisposeAsync() => System.DisposeAsync();
    }
}
