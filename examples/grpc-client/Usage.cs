using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using StripeMeter.V1;

namespace StripeMeter.Examples.GrpcClient;

/// <summary>Sends usage in the three ways a client may want, and shows what comes back.</summary>
internal sealed class Usage(IngestService.IngestServiceClient ingest, TimeProvider clock)
{
    private const int Messages = 10;
    private const int EventsPerMessage = 100;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private readonly string _run = Guid.NewGuid().ToString("N");

    private DateTime Deadline => (clock.GetUtcNow() + Patience).UtcDateTime;

    /// <summary>One call, sent twice as after a timeout: the second answers duplicate, and the usage counts once.</summary>
    public async Task SendBatchAsync()
    {
        var request = new IngestEventsRequest { IdempotencyKey = _run, Events = { Event("1"), Event("0.5") } };
        var compressed = new Metadata { { "grpc-internal-encoding-request", "gzip" } };
        for (var attempt = 1; attempt <= 2; attempt++)
        {
            var answer = await ingest.IngestEventsAsync(request, compressed, Deadline);
            Console.WriteLine($"attempt {attempt}: {answer.AcceptedCount} accepted, {answer.DuplicateCount} duplicates");
        }
    }

    /// <summary>An error says which field of which event is wrong, and why.</summary>
    public async Task SendWrongAsync()
    {
        try
        {
            await ingest.IngestEventsAsync(new IngestEventsRequest { Events = { Event("-1") } }, deadline: Deadline);
        }
        catch (RpcException refusal) when (refusal.StatusCode == Grpc.Core.StatusCode.InvalidArgument)
        {
            foreach (var violation in refusal.GetRpcStatus()!.GetDetail<BadRequest>().FieldViolations)
                Console.WriteLine($"refused: {violation.Field} {violation.Description}");
        }
    }

    /// <summary>A stream: messages are answered one by one while more are sent, as fast as the service takes them.</summary>
    public async Task ExchangeAsync()
    {
        using var call = ingest.ExchangeEvents();
        var answers = Task.Run(async () =>
        {
            var accepted = 0;
            await foreach (var answer in call.ResponseStream.ReadAllAsync())
                accepted += answer.Results.Count(result => result.Status == IngestStatus.Accepted);
            return accepted;
        });
        for (var message = 0; message < Messages; message++)
        {
            var request = new ExchangeEventsRequest { MessageId = (ulong)message, IdempotencyKey = $"{_run}-{message}" };
            request.Events.AddRange(Enumerable.Range(0, EventsPerMessage).Select(_ => Event("1")));
            await call.RequestStream.WriteAsync(request);
        }

        await call.RequestStream.CompleteAsync();
        Console.WriteLine($"streamed: {await answers} accepted");
    }

    private UsageEvent Event(string quantity) => new()
    {
        TenantId = "grpc-client",
        Metric = "api_calls",
        CustomerRef = "cus_01",
        Quantity = quantity,
        Timestamp = Timestamp.FromDateTimeOffset(clock.GetUtcNow()),
        Source = EventSource.Sdk,
    };
}
