using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Grpc.Health.V1;
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
