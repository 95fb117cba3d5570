using System.Text;
using System.Text.Json;
using StripeMeter.Gateway.Tests.Kit;
using StripeMeter.V1;
using Xunit;

namespace StripeMeter.Gateway.Tests.Events;

/// <summary>CloudEvents' HTTP binding: structured, batched and binary.</summary>
public sealed class CloudEventRouteTests : IClassFixture<RunningGateway>
{
    private const string Path = "/v1/events/ingest";
    private const string Structured = "application/cloudevents+json";
    private const string Batch = "application/cloudevents-batch+json";
    private const string Attributes =
        "\"specversion\":\"1.0\",\"id\":\"e-1\",\"source\":\"/eu/api\",\"type\":\"api_calls\",\"subject\":\"cus_1\",\"time\":\"2026-01-31T12:00:00.1234567Z\",\"tenantid\":\"acme\"";

    private readonly List<UsageEvent> _sentOn = [];
    private readonly RunningGateway _gateway;

    public CloudEventRouteTests(RunningGateway gateway)
    {
        _gateway = gateway;
        _gateway.Backend.Reset();
        _gateway.Backend.Ingest = request =>
        {
            lock (_sentOn)
                _sentOn.AddRange(request.Events);
            return IngestRules.Answer(request);
        };
    }

    [Fact]
    public async Task Structured_AttributesAndData_BecomeTheFields()
    {
        await AcceptAsync(Structured, Of("""  "data":{"quantity":123456789012345.123456789012,"meta":{"a":1.50}}  """));

        var usage = Assert.Single(_sentOn);
        Assert.Equal(
            ("acme", "api_calls", "cus_1", "/eu/api e-1"), (usage.TenantId, usage.Metric, usage.CustomerRef, usage.IdempotencyKey));
        Assert.Equal("123456789012345.123456789012", usage.Quantity);
        Assert.Equal(123_456_700, usage.Timestamp.Nanos);
        Assert.Equal("""{"a":1.50}""", usage.MetaJson);
    }

    [Fact]
    public async Task Structured_WhatTheDataSays_WinsOverAttributes()
    {
        await AcceptAsync(Structured, Of("""
            "datacontenttype":"application/json",
            "data":{"tenantId":"t","metric":"m","customerRef":"c","quantity":"1","ts":"2026-01-01T00:00:00Z","idempotencyKey":"k","source":"sdk"}
            """));

        var usage = Assert.Single(_sentOn);
        Assert.Equal(("t", "m", "c", "k"), (usage.TenantId, usage.Metric, usage.CustomerRef, usage.IdempotencyKey));
        Assert.Equal(EventSource.Sdk, usage.Source);
    }

    [Fact]
    public async Task Structured_JsonInBase64_IsReadToo()
    {
        var data = Convert.ToBase64String("""{"quantity":0.1}"""u8);

        await AcceptAsync(Structured, Of($"""  "datacontenttype":"application/json","data_base64":"{data}"  """));

        Assert.Equal("0.1", Assert.Single(_sentOn).Quantity);
    }

    [Fact]
    public async Task Binary_HeadersAndBody_BecomeTheFields()
    {
        var answer = await _gateway.SendAsync(
            HttpMethod.Post, Path, """{"quantity":0.30}"""u8.ToArray(), "application/json; charset=utf-8", ("ce-specversion", "1.0"),
            ("ce-id", "e%201"), ("ce-source", "/eu/api"), ("ce-type", "api_calls"), ("ce-subject", "Z%C3%BCrich"),
            ("ce-time", "2026-01-31T12:00:00Z"), ("ce-tenantid", "acme"), ("Idempotency-Key", "unused"));

        Assert.Equal(1, answer.Json.GetProperty("accepted").GetInt32());
        var usage = Assert.Single(_sentOn);
        Assert.Equal(("0.30", "Zürich", "/eu/api e 1"), (usage.Quantity, usage.CustomerRef, usage.IdempotencyKey));
    }

    [Fact]
    public async Task Batch_GoodAndBad_AnswersEachInOrder()
    {
        string[] sent =
        [
            Of("""  "data":{"quantity":1}  """), "7", """{"specversion":"1.0","id":"e-2","type":"t","data":{}}""",
            Of("""  "data":{"quantity":1,"quantity":2}  """), Of("""  "data":{"quantity":2,"idempotencyKey":"other"}  """),
        ];
        var answer = await SendAsync(Batch, $"[{string.Join(',', sent)}]");

        Assert.Equal(2, answer.Json.GetProperty("accepted").GetInt32());
        Assert.Equal(["accepted", "error", "error", "error", "accepted"], Members(answer.Json.GetProperty("results"), "status"));
        Assert.Equal(["event", "source", "quantity"], Members(answer.Json.GetProperty("errors"), "field"));
        Assert.Equal([1, 2, 3], answer.Json.GetProperty("errors").EnumerateArray().Select(error => error.GetProperty("index").GetInt32()));
    }

    [Theory]
    [InlineData("""{"specversion":"0.3","id":"1","source":"/","type":"t"}""", "specversion")]
    [InlineData("""{"specversion":"1.0","id":"","source":"/","type":"t"}""", "id")]
    [InlineData("""{"specversion":"1.0","id":7,"source":"/","type":"t"}""", "id")]
    [InlineData("""{"specversion":"1.0","id":"1","source":"a b","type":"t"}""", "source")]
    [InlineData("""{"specversion":"1.0","id":"1","source":"/","type":"t","time":"yesterday"}""", "time")]
    [InlineData("""{"specversion":"1.0","id":"1","source":"/","type":"t","time":"2026-01-01T00:00:00.12345678Z"}""", "time")]
    [InlineData("""{"specversion":"1.0","id":"1","source":"/","type":"t","Bad_Name":"x"}""", "event")]
    [InlineData("""{"specversion":"1.0","id":"1","source":"/","type":"t","data":[1]}""", "data")]
    [InlineData("""{"specversion":"1.0","id":"1","source":"/","type":"t","datacontenttype":"text/plain","data":"x"}""", "data")]
    [InlineData("""{"specversion":"1.0","id":"1","source":"/","type":"t","data":{"quantity":true}}""", "quantity")]
    [InlineData("""{"specversion":"1.0","id":"1","source":"/","type":"t","tenantid":"a","subject":"c","data":{}}""", "quantity")]
    [InlineData("""{"specversion":"1.0","id":"1","source":"/","type":"t","data":{"quantity":1}}""", "tenantId")]
    [InlineData("""{"specversion":"1.0","id":"\ud800","source":"/","type":"t"}""", "event")]
    public async Task Structured_ThatIsWrong_NamesTheAttributeOrField(string body, string field)
    {
        var problem = (await SendAsync(Structured, body)).Problem(400);

        Assert.Equal([field], Members(problem.GetProperty("errors"), "field"));
        Assert.Equal(0, problem.GetProperty("accepted").GetInt32());
    }

    [Theory]
    [InlineData(Structured, "{")]
    [InlineData(Batch, "{}")]
    [InlineData(Batch, "[]")]
    public async Task Body_ThatIsNone_IsRefusedAsAWhole(string contentType, string body) =>
        (await SendAsync(contentType, body)).Problem(400);

    [Fact]
    public async Task Keys_OfDifferentPairs_Differ()
    {
        await AcceptAsync(Structured, """{"specversion":"1.0","id":"c","source":"a/b","type":"t","tenantid":"x","subject":"s","time":"2026-01-01T00:00:00Z","data":{"quantity":1}}""");
        await AcceptAsync(Structured, """{"specversion":"1.0","id":"b c","source":"a/","type":"t","tenantid":"x","subject":"s","time":"2026-01-01T00:00:00Z","data":{"quantity":1}}""");

        Assert.Equal(2, _sentOn.Select(usage => usage.IdempotencyKey).Distinct().Count());
    }

    [Fact]
    public async Task StrictTenantId_AppliesWhereverTheTenantCameFrom()
    {
        await using var strict = new RunningGateway();
        strict.Settings["STRICT_TENANT_ID_UUID"] = "true";
        await strict.InitializeAsync();
        var body = Of("""  "data":{"quantity":1}  """);

        var refused = await strict.SendAsync(HttpMethod.Post, Path, Encoding.UTF8.GetBytes(body), Structured);
        var taken = await strict.SendAsync(
            HttpMethod.Post, Path, Encoding.UTF8.GetBytes(body.Replace("acme", "123e4567-e89b-12d3-a456-426614174000", StringComparison.Ordinal)), Structured);
        var plain = await strict.PostAsync(Path, """{"events":[{"tenantId":"acme"}]}""");

        Assert.Equal(["tenantId"], Members(refused.Problem(400).GetProperty("errors"), "field"));
        Assert.Equal(1, taken.Json.GetProperty("accepted").GetInt32());
        Assert.Equal(["tenantId"], Members(plain.Problem(400).GetProperty("errors"), "field"));
    }

    /// <summary>A CloudEvent with all attributes and further members.</summary>
    private static string Of(string members) => "{" + Attributes + "," + members + "}";

    private async Task AcceptAsync(string contentType, string body)
    {
        var answer = await SendAsync(contentType, body);
        Assert.True(answer.Json.TryGetProperty("accepted", out var accepted) && accepted.GetInt32() == 1, answer.Text);
    }

    private Task<Answer> SendAsync(string contentType, string body) =>
        _gateway.SendAsync(HttpMethod.Post, Path, Encoding.UTF8.GetBytes(body), contentType);

    private static IEnumerable<string?> Members(JsonElement list, string name) =>
        list.EnumerateArray().Select(item => item.GetProperty(name).GetString());
}
