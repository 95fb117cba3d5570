using System.Net;
using System.Text;
using System.Text.Json;
using StripeMeter.Defaults.Errors;
using StripeMeter.Gateway.Tests.Kit;
using StripeMeter.V1;
using Xunit;

namespace StripeMeter.Gateway.Tests.Events;

public sealed class IngestRouteTests : IClassFixture<RunningGateway>
{
    private const string Path = "/v1/events/ingest";
    private readonly List<IngestEventsRequest> _captured = [];
    private readonly RunningGateway _gateway;

    public IngestRouteTests(RunningGateway gateway)
    {
        _gateway = gateway;
        _gateway.Backend.Reset();
        _gateway.Backend.Ingest = request =>
        {
            lock (_captured)
                _captured.Add(request);
            return IngestRules.Answer(request);
        };
    }

    public static TheoryData<string, string> WholeRequestFailures => new()
    {
        { "", "body" },
        { "{", "body" },
        { """{"events":[{"metric":"a"]}""", "body" },
        { """{"events":[{}]} x""", "body" },
        { """{"events":[{}]},""", "body" },
        { "[]", "body" },
        { "null", "body" },
        { "7", "body" },
        { "{}", "events" },
        { """{"events":null}""", "events" },
        { """{"events":{}}""", "events" },
        { """{"events":[]}""", "events" },
        { """{"events":[{}],"events":[{}]}""", "events" },
    };

    [Theory]
    [MemberData(nameof(WholeRequestFailures))]
    public async Task Ingest_BodyThatCannotBeRead_IsAProblemAndNothingIsSentOn(string body, string field)
    {
        var answer = await _gateway.PostAsync(Path, body);

        var problem = answer.Problem(400);
        AssertEmptyEnvelope(problem);
        Assert.Equal(field, problem.GetProperty("errors")[0].GetProperty("field").GetString());
        Assert.Empty(_gateway.Backend.Called);
    }

    [Fact]
    public async Task Ingest_InvalidUtf8_IsAProblemAndNothingIsSentOn()
    {
        var body = Encoding.UTF8.GetBytes($$"""{"events":[{{Event()}}],"x":"?"}""");
        body[^3] = 0xFF;

        var answer = await _gateway.SendAsync(HttpMethod.Post, Path, body, "application/json");

        AssertEmptyEnvelope(answer.Problem(400));
        Assert.Empty(_gateway.Backend.Called);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/jsonp")]
    [InlineData(null)]
    public async Task Ingest_OtherContentType_Is415(string? contentType)
    {
        var body = Encoding.UTF8.GetBytes(Body(Event()));

        var answer = await _gateway.SendAsync(HttpMethod.Post, Path, body, contentType);

        AssertEmptyEnvelope(answer.Problem(415));
        Assert.Empty(_gateway.Backend.Called);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Ingest_BodyOfTwoMegabytes_Is413(bool chunked)
    {
        var body = Encoding.UTF8.GetBytes(Body(Event(meta: $$"""{"a":"{{new string('a', 2 * 1024 * 1024)}}"}""")));
        using var content = new StreamContent(new MemoryStream(body));
        content.Headers.ContentType = new("application/json");
        using var request = new HttpRequestMessage(HttpMethod.Post, Path) { Content = content };
        request.Headers.TransferEncodingChunked = chunked;

        var answer = await _gateway.SendAsync(request);

        AssertEmptyEnvelope(answer.Problem(413));
        Assert.Empty(_gateway.Backend.Called);
    }

    [Fact]
    public async Task Ingest_OneEventTooMany_IsAProblem()
    {
        var answer = await _gateway.PostAsync(Path, Body([.. Enumerable.Repeat(Event(), 1_001)]));

        var problem = answer.Problem(400);
        AssertEmptyEnvelope(problem);
        Assert.Contains("1001", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Empty(_gateway.Backend.Called);
    }

    [Fact]
    public async Task Ingest_AThousandEvents_AreAccepted()
    {
        var answer = await _gateway.PostAsync(Path, Body([.. Enumerable.Repeat(Event(), 1_000)]));

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal(1_000, answer.Json.GetProperty("accepted").GetInt32());
    }

    public static TheoryData<string, string> BrokenRules => new()
    {
        { Event(metric: null), "metric" },
        { Event(metric: $"\"{new string('m', 256)}\""), "metric" },
        { Event(metric: "5"), "metric" },
        { Event(metric: "\"a\\ud800\""), "metric" },
        { Event(metric: "\"a\\u0000\""), "metric" },
        { Event(customer: "null"), "customerRef" },
        { Event(customer: "[\"a\"]"), "customerRef" },
        { Event(quantity: "0"), "quantity" },
        { Event(quantity: "-1"), "quantity" },
        { Event(quantity: "true"), "quantity" },
        { Event(quantity: "\"seven\""), "quantity" },
        { Event(quantity: "1e400"), "quantity" },
        { Event(quantity: "1234567890123456"), "quantity" },
        { Event(quantity: "0.0000000000001"), "quantity" },
        { Event(ts: "\"2026-01-31T12:00:00\""), "ts" },
        { Event(ts: "\"2026-01-31\""), "ts" },
        { Event(ts: "\"2026-01-31T12:00:00.00000001Z\""), "ts" },
        { Event(ts: "\"2026-02-01T01:00:01Z\""), "ts" },
        { Event(ts: "1769860800"), "ts" },
        { Event(meta: $$"""{"a":"{{new string('a', 5_000)}}"}"""), "meta" },
        { Event(meta: "[]"), "meta" },
        { Event(meta: $$"""{"a":{{new string('[', 70)}}{{new string(']', 70)}}}"""), "meta" },
        { Event(more: ",\"resourceId\":5"), "resourceId" },
        { Event(more: ",\"source\":\"moon\""), "source" },
        { Event(more: ",\"idempotencyKey\":{}"), "idempotencyKey" },
        { Event(more: ",\"idempotencyKey\":\"" + new string('k', 256) + "\""), "idempotencyKey" },
        { Event(more: ",\"metric\":\"again\""), "metric" },
        { "5", "event" },
        { "null", "event" },
        { "[{}]", "event" },
    };

    [Theory]
    [MemberData(nameof(BrokenRules))]
    public async Task Ingest_EventThatBreaksARule_IsRefusedAlone(string broken, string field)
    {
        var answer = await _gateway.PostAsync(Path, Body(Event(), broken, Event()));

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal(2, answer.Json.GetProperty("accepted").GetInt32());
        Assert.Equal(["accepted", "error", "accepted"], Statuses(answer));
        var result = answer.Json.GetProperty("results")[1];
        Assert.Equal(1, result.GetProperty("index").GetInt32());
        Assert.Equal(field, result.GetProperty("field").GetString());
        var error = Assert.Single(answer.Json.GetProperty("errors").EnumerateArray());
        Assert.Equal(1, error.GetProperty("index").GetInt32());
        Assert.Equal(field, error.GetProperty("field").GetString());
        Assert.Equal(result.GetProperty("reason").GetString(), error.GetProperty("reason").GetString());
    }

    [Theory]
    [MemberData(nameof(BrokenRules))]
    public async Task Ingest_EveryEventRefused_Is400WithTheSameMembers(string broken, string field)
    {
        var answer = await _gateway.PostAsync(Path, Body(broken, Event(quantity: "0")));

        var problem = answer.Problem(400);
        Assert.Equal(0, problem.GetProperty("accepted").GetInt32());
        Assert.Equal(["error", "error"], Statuses(answer));
        Assert.Equal(
            [field, "quantity"], problem.GetProperty("errors").EnumerateArray().Select(error => error.GetProperty("field").GetString()));
    }

    [Theory]
    [InlineData("0.1", "0.1")]
    [InlineData("999999999999.999999", "999999999999.999999")]
    [InlineData("\"999999999999.999999\"", "999999999999.999999")]
    [InlineData("123456789012345.123456789012", "123456789012345.123456789012")]
    [InlineData("1e2", "1e2")]
    [InlineData("0.30000000000000004", null)]
    public async Task Ingest_Quantity_ReachesIngestDigitForDigit(string sent, string? arrived)
    {
        var answer = await _gateway.PostAsync(Path, Body(Event(quantity: sent), Event()));

        Assert.Equal(arrived is null ? 1 : 2, answer.Json.GetProperty("accepted").GetInt32());
        if (arrived is not null)
            Assert.Equal(arrived, Captured().Events[0].Quantity);
    }

    [Fact]
    public async Task Ingest_Event_ReachesIngestWholeAndNothingElseDoes()
    {
        await _gateway.PostAsync(Path, Body(
            """
            {"tenantId":"täglich","metric":"m","customerRef":"c","resourceId":"r","quantity":1,"ts":"2026-01-31T13:00:00.1234567+01:00",
             "meta":{ "b": 1.10, "a":"\u00e4" },"idempotencyKey":"k","source":"etl","unknown":{"x":[1,{}]},"sourc\u0065x":1}
            """));

        Assert.Equal(
            new UsageEvent
            {
                TenantId = "täglich",
                Metric = "m",
                CustomerRef = "c",
                ResourceId = "r",
                Quantity = "1",
                Timestamp = new() { Seconds = 1769860800, Nanos = 123456700 },
                MetaJson = """{ "b": 1.10, "a":"\u00e4" }""",
                IdempotencyKey = "k",
                Source = EventSource.Etl,
            },
            Assert.Single(Captured().Events));
        Assert.Equal(["ingest"], _gateway.Backend.Called);
    }

    [Fact]
    public async Task Ingest_KeyHeader_NamesEventsByTheirIndexInTheRequest()
    {
        var answer = await _gateway.PostAsync(
            Path, Body(Event(), Event(quantity: "true"), Event(more: ",\"idempotencyKey\":\"own\""), Event()), ("Idempotency-Key", "req"));

        Assert.Equal(
            ["req:0", "req:1", "own", "req:3"],
            answer.Json.GetProperty("results").EnumerateArray().Select(result => result.GetProperty("idempotencyKey").GetString()));
        Assert.Equal(["req:0", "own", "req:3"], Captured().Events.Select(sent => sent.IdempotencyKey));
    }

    [Fact]
    public async Task Ingest_KeyHeaderThatIsTooLong_IsAProblem()
    {
        var answer = await _gateway.PostAsync(Path, Body(Event()), ("Idempotency-Key", new string('k', 241)));

        Assert.Equal("Idempotency-Key", answer.Problem(400).GetProperty("errors")[0].GetProperty("field").GetString());
    }

    [Fact]
    public async Task Ingest_Outcomes_AreToldInTheOrderOfTheRequest()
    {
        _gateway.Backend.Ingest = request =>
        {
            var response = new IngestEventsResponse();
            response.Results.Add(new IngestResult { Status = IngestStatus.Conflict, IdempotencyKey = "k", Error = new() { Field = "idempotency_key", Reason = "names another event" } });
            response.Results.Add(new IngestResult { Status = IngestStatus.Accepted, IdempotencyKey = "l", Late = true, Index = 1 });
            response.Results.Add(new IngestResult { Status = IngestStatus.Duplicate, IdempotencyKey = "m", Index = 2 });
            return response;
        };

        var answer = await _gateway.PostAsync(Path, Body(Event(), Event(), Event()), ("x-request-id", "mine-1"));

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal(
            """
            {"accepted":1,"duplicates":1,"conflicts":1,"requestId":"mine-1","results":[{"index":0,"idempotencyKey":"k","status":"conflict","error":"idempotencyKey names another event","field":"idempotencyKey","reason":"names another event"},{"index":1,"idempotencyKey":"l","status":"accepted","late":true},{"index":2,"idempotencyKey":"m","status":"duplicate"}]}
            """,
            answer.Text);
        Assert.Equal("mine-1", answer.Headers["x-request-id"]);
    }

    [Fact]
    public async Task Ingest_Overload_Is503WithRetryAfter()
    {
        _gateway.Backend.Ingest = _ => throw RpcErrors.Unavailable("Too many events.", TimeSpan.FromMilliseconds(1_200));

        var answer = await _gateway.PostAsync(Path, Body(Event()));

        AssertEmptyEnvelope(answer.Problem(503));
        Assert.Equal("2", answer.Headers["Retry-After"]);
    }

    [Fact]
    public async Task Ingest_FailureOfIngest_Is502AndNamesNothing()
    {
        _gateway.Backend.Ingest = _ => throw new InvalidOperationException("secret");

        var answer = await _gateway.PostAsync(Path, Body(Event()));

        AssertEmptyEnvelope(answer.Problem(502));
        Assert.DoesNotContain("secret", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ingest_ManyRequestsAtOnce_EachGetsItsOwnResults()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(number => _gateway.PostAsync(
            Path, Body(Event(more: $",\"idempotencyKey\":\"a{number}\""), Event(quantity: "0"), Event(more: $",\"idempotencyKey\":\"b{number}\"")))));

        for (var number = 0; number < answers.Length; number++)
        {
            Assert.Equal(["accepted", "error", "accepted"], Statuses(answers[number]));
            Assert.Equal($"a{number}", answers[number].Json.GetProperty("results")[0].GetProperty("idempotencyKey").GetString());
            Assert.Equal($"b{number}", answers[number].Json.GetProperty("results")[2].GetProperty("idempotencyKey").GetString());
        }
    }

    [Fact]
    public async Task Ingest_RequestThatMakesIngestFail_DoesNotHurtOthers()
    {
        _gateway.Backend.Ingest = request => request.Events.Any(sent => sent.Metric == "poison")
            ? throw new InvalidOperationException()
            : IngestRules.Answer(request);

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(number =>
            _gateway.PostAsync(Path, Body(Event(metric: number % 10 == 0 ? "\"poison\"" : "\"fine\"")))));

        for (var number = 0; number < answers.Length; number++)
            Assert.Equal(number % 10 == 0 ? 502 : 200, (int)answers[number].Status);
    }

    private IngestEventsRequest Captured() => Assert.Single(_captured);

    private static string Body(params string[] events) => $$"""{"events":[{{string.Join(',', events)}}]}""";

    private static string Event(
        string? metric = "\"requests\"", string customer = "\"cus_1\"", string quantity = "1",
        string ts = "\"2026-01-31T12:00:00Z\"", string meta = "{}", string more = "") =>
        $$"""{"tenantId":"acme",{{(metric is null ? "" : $"\"metric\":{metric},")}}"customerRef":{{customer}},"quantity":{{quantity}},"ts":{{ts}},"meta":{{meta}}{{more}}}""";

    private static IEnumerable<string?> Statuses(Answer answer) =>
        answer.Json.GetProperty("results").EnumerateArray().Select(result => result.GetProperty("status").GetString());

    private static void AssertEmptyEnvelope(JsonElement problem)
    {
        Assert.Equal(0, problem.GetProperty("accepted").GetInt32());
        Assert.Equal(0, problem.GetProperty("duplicates").GetInt32());
        Assert.Equal(0, problem.GetProperty("conflicts").GetInt32());
    }
}
