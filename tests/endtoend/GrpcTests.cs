using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Reflection.V1Alpha;
using StripeMeter.V1;
using Xunit;

namespace StripeMeter.EndToEnd.Tests;

/// <summary>Ingest over gRPC: unary and streamed, with rich errors.</summary>
public sealed class GrpcTests : IClassFixture<RefusalTests.Fixture>
{
    private readonly EmbeddedSystem _system;
    private readonly IngestService.IngestServiceClient _ingest;

    public GrpcTests(RefusalTests.Fixture fixture)
    {
        _system = fixture.System;
        _ingest = new IngestService.IngestServiceClient(_system.Ingest);
    }

    [Fact]
    public async Task IngestEvents_GoodAndBad_AnswersEachInOrder()
    {
        var request = new IngestEventsRequest { IdempotencyKey = "batch-1" };
        request.Events.Add([Event("grpc", "1"), Event("grpc", "0"), Event("grpc", "2.5")]);
        var response = await _ingest.IngestEventsAsync(request);

        Assert.Equal([IngestStatus.Accepted, IngestStatus.Error, IngestStatus.Accepted], response.Results.Select(result => result.Status));
        Assert.Equal("quantity", response.Results[1].Error.Field);
        Assert.Equal("batch-1:2", response.Results[2].IdempotencyKey);
        await _system.UntilCountedAsync("grpc");
        Assert.Equal("3.5", await _system.CurrentAsync("grpc", "cus_1", "m"));
    }

    [Fact]
    public async Task IngestEvents_AllBad_IsInvalidArgumentWithViolations()
    {
        var request = new IngestEventsRequest();
        request.Events.Add([Event("grpc-bad", "x"), Event("", "1")]);
        var problem = await Assert.ThrowsAsync<RpcException>(async () => await _ingest.IngestEventsAsync(request));

        Assert.Equal(StatusCode.InvalidArgument, problem.StatusCode);
        var violations = problem.GetRpcStatus()!.GetDetail<BadRequest>().FieldViolations;
        Assert.Equal(["events[0].quantity", "events[1].tenant_id"], violations.Select(violation => violation.Field));
    }

    /// <summary>Errors travel in headers, which every hop bounds: what does not fit would break the connection, and other calls with it.</summary>
    [Fact]
    public async Task IngestEvents_AThousandAllBad_IsInvalidArgumentThatTravels()
    {
        var request = new IngestEventsRequest();
        request.Events.Add(Enumerable.Repeat(Event("grpc-thousand", "-1"), 1_000));
        var problem = await Assert.ThrowsAsync<RpcException>(async () => await _ingest.IngestEventsAsync(request));

        Assert.Equal(StatusCode.InvalidArgument, problem.StatusCode);
        Assert.Equal("events[0].quantity", problem.GetRpcStatus()!.GetDetail<BadRequest>().FieldViolations[0].Field);
    }

    [Fact]
    public async Task Rest_AThousandEventsAllBad_AnswersEach()
    {
        var events = Enumerable.Range(0, 1_000).Select(_ => (object)new { tenantId = "rest-thousand", metric = "m" }).ToArray();

        var answer = await _system.IngestAsync(events);

        Assert.Equal(1_000, answer["errors"]!.AsArray().Count);
        Assert.Equal(999, (int)answer["errors"]!.AsArray()[^1]!["index"]!);
    }

    [Fact]
    public async Task Error_AboutALongText_Travels()
    {
        using var body = new StringContent(
            $$"""{"tenantId":"long","scenarioId":"{{new string('9', 50_000)}}"}""", System.Text.Encoding.UTF8, "application/json");
        using var response = await _system.Rest.PostAsync(new Uri("/v1/simulations/runs", UriKind.Relative), body);

        Assert.InRange((int)response.StatusCode, 400, 499);
    }

    [Fact]
    public async Task IngestEvents_TooMany_IsInvalidArgument()
    {
        var request = new IngestEventsRequest();
        request.Events.Add(Enumerable.Repeat(Event("grpc-many", "1"), 1_001));
        var problem = await Assert.ThrowsAsync<RpcException>(async () => await _ingest.IngestEventsAsync(request));

        Assert.Equal(StatusCode.InvalidArgument, problem.StatusCode);
        Assert.Equal("events", problem.GetRpcStatus()!.GetDetail<BadRequest>().FieldViolations.Single().Field);
    }

    [Fact]
    public async Task StreamEvents_SeveralMessages_AnswersTotalsAndProblems()
    {
        using var call = _ingest.StreamEvents();
        for (var message = 0; message < 3; message++)
        {
            var request = new StreamEventsRequest();
            for (var index = 0; index < 10; index++)
            {
                var usage = Event("grpc-stream", index == 9 ? "-1" : "1");
                usage.IdempotencyKey = FormattableString.Invariant($"{message}-{index}");
                request.Events.Add(usage);
            }

            await call.RequestStream.WriteAsync(request);
        }

        await call.RequestStream.CompleteAsync();
        var response = await call.ResponseAsync;

        Assert.Equal((27UL, 3UL), (response.AcceptedCount, response.ErrorCount));
        Assert.Equal([9UL, 19UL, 29UL], response.Problems.Select(problem => problem.Index));
        await _system.UntilCountedAsync("grpc-stream");
        Assert.Equal("27", await _system.CurrentAsync("grpc-stream", "cus_1", "m"));
    }

    [Fact]
    public async Task ExchangeEvents_SeveralMessages_AnswersEach()
    {
        using var call = _ingest.ExchangeEvents();
        await call.RequestStream.WriteAsync(new ExchangeEventsRequest { MessageId = 7, IdempotencyKey = "x", Events = { Event("grpc-exchange", "1"), Event("grpc-exchange", "0") } });
        await call.RequestStream.WriteAsync(new ExchangeEventsRequest { MessageId = 8 });
        await call.RequestStream.WriteAsync(new ExchangeEventsRequest { MessageId = 9, Events = { Event("grpc-exchange", "2") } });
        await call.RequestStream.CompleteAsync();
        var answers = await call.ResponseStream.ReadAllAsync().ToListAsync();

        Assert.Equal([7UL, 8UL, 9UL], answers.Select(answer => answer.MessageId));
        Assert.Equal([IngestStatus.Accepted, IngestStatus.Error], answers[0].Results.Select(result => result.Status));
        Assert.Equal("x:0", answers[0].Results[0].IdempotencyKey);
        Assert.Equal((3, "events"), (answers[1].Failure.Code, answers[1].Failure.Error.Field));
        Assert.Equal(IngestStatus.Accepted, Assert.Single(answers[2].Results).Status);
        await _system.UntilCountedAsync("grpc-exchange");
        Assert.Equal("3", await _system.CurrentAsync("grpc-exchange", "cus_1", "m"));
    }

    /// <summary>An answer comes when its message is durable, not when the stream ends.</summary>
    [Fact]
    public async Task ExchangeEvents_WhileTheStreamIsOpen_AnswersWhatWasSent()
    {
        using var call = _ingest.ExchangeEvents();
        for (var message = 1UL; message <= 3; message++)
        {
            await call.RequestStream.WriteAsync(new ExchangeEventsRequest { MessageId = message, Events = { Event("grpc-open", "1") } });
            Assert.True(await call.ResponseStream.MoveNext());
            Assert.Equal(message, call.ResponseStream.Current.MessageId);
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext());
    }

    [Fact]
    public async Task IngestEvents_Compressed_IsTaken()
    {
        var request = new IngestEventsRequest();
        request.Events.Add(Enumerable.Range(0, 200).Select(_ => Event("grpc-gzip", "1")));
        var compressed = new Metadata { { "grpc-internal-encoding-request", "gzip" } };
        var response = await _ingest.IngestEventsAsync(request, compressed);

        Assert.Equal(200, response.Results.Count);
        Assert.Equal(0U, response.ErrorCount);
    }

    [Fact]
    public async Task Call_WhoseDeadlineHasPassed_IsDeadlineExceeded()
    {
        var request = new IngestEventsRequest { Events = { Event("grpc-deadline", "1") } };
        var problem = await Assert.ThrowsAsync<RpcException>(async () =>
            await _ingest.IngestEventsAsync(request, deadline: TimeProvider.System.GetUtcNow().UtcDateTime.AddMilliseconds(-1)));

        Assert.Equal(StatusCode.DeadlineExceeded, problem.StatusCode);
    }

    [Fact]
    public async Task Reflection_Always_NamesTheServices()
    {
        using var call = new ServerReflection.ServerReflectionClient(_system.Ingest).ServerReflectionInfo();
        await call.RequestStream.WriteAsync(new ServerReflectionRequest { ListServices = "" });
        Assert.True(await call.ResponseStream.MoveNext());
        var services = call.ResponseStream.Current.ListServicesResponse.Service.Select(service => service.Name).ToList();
        await call.RequestStream.CompleteAsync();

        Assert.Contains("stripemeter.v1.IngestService", services);
        Assert.Contains("grpc.health.v1.Health", services);
    }

    [Fact]
    public async Task Health_OfARunningService_IsServing()
    {
        var answer = await new Health.HealthClient(_system.Ingest).CheckAsync(new HealthCheckRequest());
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, answer.Status);
    }

    private static UsageEvent Event(string tenant, string quantity) => new()
    {
        TenantId = tenant, Metric = "m", CustomerRef = "cus_1", Quantity = quantity,
        Timestamp = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow()),
    };
}
