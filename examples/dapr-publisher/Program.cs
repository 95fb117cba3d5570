using Dapr.Client;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using StripeMeter.V1;

const string PubSub = "pubsub";
const string Topic = "usage.events";

// Reads DAPR_GRPC_PORT or DAPR_GRPC_ENDPOINT, as every Dapr application does.
using var dapr = new DaprClientBuilder().Build();
var now = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow());

// As JSON. The key is in the event, because the id that a sidecar puts on a message is another one each time.
var usage = new
{
    tenantId = "dapr-publisher", metric = "api_calls", customerRef = "cus_01", quantity = 1, ts = now.ToDateTimeOffset(),
    idempotencyKey = Guid.NewGuid(),
};
await dapr.PublishEventAsync(PubSub, Topic, usage);
await dapr.PublishEventAsync(PubSub, Topic, usage);

// As protobuf, up to 1,000 events in a message. Dapr keeps binary data whole only as application/octet-stream.
var request = new IngestEventsRequest { IdempotencyKey = Guid.NewGuid().ToString("N") };
for (var index = 0; index < 10; index++)
{
    request.Events.Add(new UsageEvent
    {
        TenantId = "dapr-publisher", Metric = "api_calls", CustomerRef = "cus_01", Quantity = "0.1", Timestamp = now,
    });
}

await dapr.PublishByteEventAsync(PubSub, Topic, request.ToByteArray(), "application/octet-stream");
Console.WriteLine("published: 1 event twice, and 10 events in a message");
