using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using StripeMeter.Defaults.Hosting;
using StripeMeter.V1;
using Xunit;

namespace StripeMeter.EndToEnd.Tests.Fuzzing;

/// <summary>
/// The entrances of the running system under bytes that are almost right: each is answered, none with a failure of ours, and
/// exactly the events that were said to be accepted stand and count.
/// </summary>
public sealed class EntranceFuzzTests : IAsyncLifetime
{
    private EmbeddedSystem _system = null!;
    private long _accepted;

    public async ValueTask InitializeAsync() => _system = await EmbeddedSystem.StartAsync();

    public ValueTask DisposeAsync() => _system.DisposeAsync();

    [Theory, InlineData("application/json"), InlineData("application/cloudevents+json"), InlineData("application/cloudevents-batch+json")]
    public async Task IngestJson_AnyBytes_AreAnsweredAndTakenWhollyOrNotAtAll(string contentType)
    {
        await FuzzRun.RunAsync(JsonCorpus(contentType), JsonDictionary, async input =>
        {
            using var body = new ByteArrayContent(input) { Headers = { ContentType = new MediaTypeHeaderValue(contentType) } };
            using var response = await _system.Rest.PostAsync(new Uri("/v1/events/ingest", UriKind.Relative), body);
            var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
            Assert.InRange((int)response.StatusCode, 200, 499);
            if (response.IsSuccessStatusCode)
                Interlocked.Add(ref _accepted, answer["results"]!.AsArray().Count(result => (string)result!["status"]! == "accepted"));
            else
                Assert.False(string.IsNullOrEmpty((string?)answer["detail"]), "A problem says what it is.");
        });

        await AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task IngestProtobuf_AnyBytes_AreAnsweredAndTakenWhollyOrNotAtAll()
    {
        var method = MethodOf(MethodType.Unary, "IngestEvents");
        await FuzzRun.RunAsync([.. Requests().Select(request => request.ToByteArray())], ProtobufDictionary, async input =>
        {
            var answer = await AnswerAsync(() => _system.Ingest.CreateCallInvoker().AsyncUnaryCall(method, null, default, input).ResponseAsync);
            if (answer is not null)
                Interlocked.Add(ref _accepted, (long)IngestEventsResponse.Parser.ParseFrom(answer).AcceptedCount);
        });

        await AssertBooksBalanceAsync();
    }

    /// <summary>What a stream has sent before it breaks stands, and nobody is told how much: so only that it counts once is looked at.</summary>
    [Fact]
    public async Task IngestStream_AnyBytes_AreAnsweredAndTheBooksBalance()
    {
        var method = MethodOf(MethodType.ClientStreaming, "StreamEvents");
        await FuzzRun.RunAsync([.. Requests().Select(request => new StreamEventsRequest { Events = { request.Events } }.ToByteArray())], ProtobufDictionary, async input =>
            await AnswerAsync(async () =>
            {
                using var call = _system.Ingest.CreateCallInvoker().AsyncClientStreamingCall(method, null, default);
                await call.RequestStream.WriteAsync(input);
                await call.RequestStream.CompleteAsync();
                return await call.ResponseAsync;
            }));

        await AssertBooksBalanceAsync(await StandingAsync());
    }

    /// <summary>Each message of an exchange is answered or the stream ends by a fault of the message; what was answered as accepted stands.</summary>
    [Fact]
    public async Task IngestExchange_AnyBytes_AreAnsweredAndTheBooksBalance()
    {
        var method = MethodOf(MethodType.DuplexStreaming, "ExchangeEvents");
        byte[][] corpus = [.. Requests().Select((request, index) => new ExchangeEventsRequest { MessageId = (ulong)index, IdempotencyKey = request.IdempotencyKey, Events = { request.Events } }.ToByteArray())];
        await FuzzRun.RunAsync(corpus, ProtobufDictionary, async input => await AnswerAsync(async () =>
        {
            using var call = _system.Ingest.CreateCallInvoker().AsyncDuplexStreamingCall(method, null, default);
            await call.RequestStream.WriteAsync(input);
            await call.RequestStream.CompleteAsync();
            while (await call.ResponseStream.MoveNext(CancellationToken.None))
            {
                var answer = ExchangeEventsResponse.Parser.ParseFrom(call.ResponseStream.Current);
                Assert.NotEqual((int)StatusCode.Internal, answer.Failure?.Code);
                Interlocked.Add(ref _accepted, answer.Results.Count(result => result.Status == IngestStatus.Accepted));
            }

            return [];
        }));

        await AssertBooksBalanceAsync();
    }

    /// <summary>CloudEvents in binary mode: attributes in headers, data as the body, each of them almost right.</summary>
    [Fact]
    public async Task IngestBinaryCloudEvents_AnyHeadersAndBytes_AreAnsweredAndTakenWhollyOrNotAtAll()
    {
        byte[][] corpus = [.. BinaryData.Select(Encoding.UTF8.GetBytes)];
        await FuzzRun.RunAsync(corpus, JsonDictionary, async input =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/events/ingest") { Content = new ByteArrayContent(input) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            var random = new Random(input.Aggregate(17, (hash, value) => unchecked((hash * 31) + value)));
            foreach (var (name, value) in BinaryAttributes())
            {
                if (random.Next(6) > 0)
                    request.Headers.TryAddWithoutValidation(name, random.Next(6) > 0 ? value : OddHeaders[random.Next(OddHeaders.Length)]);
            }

            using var response = await _system.Rest.SendAsync(request);
            var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
            Assert.InRange((int)response.StatusCode, 200, 499);
            if (response.IsSuccessStatusCode)
                Interlocked.Add(ref _accepted, answer["results"]!.AsArray().Count(result => (string)result!["status"]! == "accepted"));
            else
                Assert.False(string.IsNullOrEmpty((string?)answer["detail"]), "A problem says what it is.");
        });

        await AssertBooksBalanceAsync();
    }

    /// <summary>Messages of another log that a broken broker delivers: none of them may count, and the true ones behind them must.</summary>
    [Theory, InlineData(DaprNames.UsageAppendedTopic), InlineData(DaprNames.CountersChangedTopic)]
    public async Task Messages_AnyBytes_ChangeNothing(string topic)
    {
        await PublishAsync(topic, "application/octet-stream", MessageCorpus(), ProtobufDictionary);
        var after = Requests()[0];
        var answer = await new IngestService.IngestServiceClient(_system.Ingest).IngestEventsAsync(after);
        _accepted = (long)answer.AcceptedCount;

        Assert.Equal(after.Events.Count, _accepted);
        await AssertBooksBalanceAsync();
    }

    /// <summary>Nobody is told what became of a message: that what stands was readable and counts once is looked at.</summary>
    [Theory, InlineData("application/json"), InlineData("application/cloudevents+json"), InlineData("application/octet-stream")]
    public async Task Publications_AnyBytes_TheBooksBalance(string contentType)
    {
        var corpus = contentType == "application/octet-stream"
            ? [.. Requests().Select(request => request.ToByteArray())]
            : JsonCorpus(contentType);
        await PublishAsync(DaprNames.UsageEventsTopic, contentType, corpus, JsonDictionary);
        await EmbeddedSystem.UntilAsync(async () => await StandingAsync() > 0, "what can be read is taken");

        await using var books = new StoredBooks(_system.DataDirectory);
        await EmbeddedSystem.UntilAsync(books.RestAsync, "all that was appended is counted");
        Assert.Empty(await books.DifferencesAsync());
    }

    /// <summary>What the sidecar itself refuses never comes to us: of a CloudEvent that is none it says so with a 500, as Dapr's does.</summary>
    private async Task PublishAsync(string topic, string contentType, byte[][] corpus, byte[][] dictionary)
    {
        using var sidecar = new HttpClient { BaseAddress = _system.Sidecar };
        await FuzzRun.RunAsync(corpus, dictionary, async input =>
        {
            using var body = new ByteArrayContent(input) { Headers = { ContentType = new MediaTypeHeaderValue(contentType) } };
            using var response = await sidecar.PostAsync(new Uri($"/v1.0/publish/{DaprNames.PubSub}/{topic}", UriKind.Relative), body);
        });
    }

    private Task AssertBooksBalanceAsync() => AssertBooksBalanceAsync(_accepted);

    private async Task AssertBooksBalanceAsync(long events)
    {
        await using var books = new StoredBooks(_system.DataDirectory);
        await EmbeddedSystem.UntilAsync(books.RestAsync, "all that was appended is counted");

        Assert.NotEqual(0, events);
        Assert.Equal(events, await books.PositionsAsync());
        Assert.Empty(await books.DifferencesAsync());
    }

    private async Task<long> StandingAsync()
    {
        await using var books = new StoredBooks(_system.DataDirectory);
        return (await books.LogAsync()).Count;
    }

    /// <summary>The answer of a call; null if it was refused, which only bytes that are wrong may be.</summary>
    private static async Task<byte[]?> AnswerAsync(Func<Task<byte[]>> call)
    {
        try
        {
            return await call();
        }
        catch (RpcException refusal)
        {
            Assert.Equal(StatusCode.InvalidArgument, refusal.StatusCode);
            return null;
        }
    }

    private static Method<byte[], byte[]> MethodOf(MethodType type, string name)
    {
        var bytes = Marshallers.Create(value => value, value => value);
        return new Method<byte[], byte[]>(type, "stripemeter.v1.IngestService", name, bytes, bytes);
    }

    private static IngestEventsRequest[] Requests()
    {
        var now = TimeProvider.System.GetUtcNow();
        return
        [
            new IngestEventsRequest { Events = { Event("a", "1", now, "k1"), Event("b", "0.000000000001", now, ""), Event("a", "999999999999999.999999999999", now, "k2") } },
            new IngestEventsRequest { Events = { Event("a", "2", now.AddDays(-40), "k3") }, IdempotencyKey = "batch" },
            new IngestEventsRequest { Events = { Event("a", "0.1", now, "k1"), Event("", "0", now, "k4") } },
        ];
    }

    private static UsageEvent Event(string metric, string quantity, DateTimeOffset at, string key) => new()
    {
        TenantId = "fuzz", Metric = metric, CustomerRef = "cus_1", Quantity = quantity, Timestamp = Timestamp.FromDateTimeOffset(at),
        IdempotencyKey = key, MetaJson = "{\"a\":[1,null]}", Source = EventSource.Sdk,
    };

    private static byte[][] JsonCorpus(string contentType)
    {
        var now = TimeProvider.System.GetUtcNow();
        string[] events =
        [
            $$"""{"tenantId":"fuzz","metric":"m","customerRef":"c","quantity":1.50,"ts":"{{now:O}}","idempotencyKey":"k1","meta":{"a":[1,{"b":null}]},"source":"sdk"}""",
            $$"""{"tenantId":"fuzz","metric":"m","customerRef":"c","quantity":"999999999999999.999999999999","ts":"{{now:O}}"}""",
            $$"""{ "tenantId" : "\u0066uzz \ud83d\ude00", "metric":"m", "customerRef":"c", "quantity":1e0, "ts":"{{now.AddDays(-40):O}}", "resourceId":"r" }""",
        ];
        string[] cloudEvents =
        [
            $$"""{"specversion":"1.0","id":"e-1","source":"/eu","type":"m","subject":"c","time":"{{now:O}}","tenantid":"fuzz","data":{"quantity":1.50} }""",
            $$"""{"specversion":"1.0","id":"e-2","source":"/eu","type":"m","time":"{{now:O}}","tenantid":"fuzz","datacontenttype":"application/json","data":{"quantity":"2","customerRef":"d"} }""",
        ];
        return Array.ConvertAll(
            contentType switch
            {
                "application/cloudevents+json" => cloudEvents,
                "application/cloudevents-batch+json" => [$"[{string.Join(',', cloudEvents)}]", $"[{cloudEvents[0]}]"],
                _ => [$$"""{"events":[{{events[0]}}]}""", $$"""{"events":[{{events[1]}},{{events[2]}}]}""", events[0]],
            },
            Encoding.UTF8.GetBytes);
    }

    private static readonly string[] OddHeaders = ["", "%", "%zz", "%C3%28", "%00", "a b", "\"", "1.1", "-1", "2026-13-01T00:00:00Z", "%F0%9F%98%80", new('x', 300)];

    private static readonly string[] BinaryData = ["{\"quantity\":1.50}", "{\"quantity\":\"2\",\"customerRef\":\"d\",\"meta\":{\"a\":[1]}}", "{\"quantity\":3,\"tenantId\":\"fuzz\",\"metric\":\"m\"}"];

    private static (string Name, string Value)[] BinaryAttributes() =>
    [
        ("ce-specversion", "1.0"), ("ce-id", $"b-{Guid.NewGuid():N}"), ("ce-source", "/eu"), ("ce-type", "m"), ("ce-subject", "c"),
        ("ce-time", TimeProvider.System.GetUtcNow().ToString("O")), ("ce-tenantid", "fuzz"),
    ];

    private static byte[][] JsonDictionary { get; } =
    [
        .. new[]
        {
            "{", "}", "[", "]", "\"", ",", ":", "\\", "null", "true", "-1", "0", "1e400", "1e-400", "0.0000000000001", "9999999999999999", "NaN", "\"events\"", "\"tenantId\"",
            "\"quantity\":", "\"ts\":\"2026-02-29T24:61:00Z\"", "\\ud800", "\\u0000", "\t", " ", "[[", "{\"a\":", "\"meta\":{\"x\":\"y\"},", "é", "😀", "+14:00", "Z", "/*", "//",
        }.Select(Encoding.UTF8.GetBytes),
        [0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xef, 0xbb, 0xbf], [0x00],
    ];

    /// <summary>Tags, lengths, and the greatest and longest varints.</summary>
    private static byte[][] ProtobufDictionary { get; } =
    [
        [0x0a], [0x12], [0x1a], [0x22], [0x2a], [0x32], [0x08], [0x10], [0x0b], [0x0c], [0x00], [0x7f], [0x80], [0xff, 0xff, 0xff, 0xff, 0x0f],
        [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
        .. new[] { "fuzz", "-1", "1e9", "0", "\0", "é", "\ud83d\ude00" }.Select(Encoding.UTF8.GetBytes),
        [0xc3, 0x28], [0x0a, 0x02, 0x0a, 0x00],
    ];

    private static byte[][] MessageCorpus()
    {
        var quantity = ByteString.CopyFrom(new byte[16]);
        AppendedRecord[] records =
        [
            new() { Kind = 1, Metric = "m", CustomerRef = "c", Quantity = quantity, Instant = 17_000_000_000_000_000, Key = "k" },
            new() { Kind = 2, Quantity = quantity },
            new() { Kind = 8, CustomerRef = "c", Quantity = quantity, Key = "anchor/1", Control = new AppendedControl { Subject = "1", AnchorDay = 31, AnchorMinute = 1439 } },
            new() { Kind = 7, Quantity = quantity, Key = "session/s/excluded/0", Control = new AppendedControl { Subject = "s" } },
        ];
        return
        [
            .. Enumerable.Range(0, records.Length).Select(index => new UsageAppended
            {
                TenantId = "fuzz", Shard = index, LogId = "of nowhere", FirstPosition = 1, Records = { records[index..] },
            }.ToByteArray()),
            new CountersChanged { TenantIds = { "fuzz", "other" } }.ToByteArray(),
        ];
    }
}
