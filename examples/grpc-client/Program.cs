using Grpc.Net.Client;
using Grpc.Net.Client.Configuration;
using StripeMeter.Examples.GrpcClient;
using StripeMeter.V1;

var address = args.Length > 0 ? args[0] : "http://localhost:5101";

// The channel tries again by itself what the service says is safe to send again: UNAVAILABLE. Keys make it harmless.
using var channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions
{
    ServiceConfig = new ServiceConfig
    {
        MethodConfigs =
        {
            new MethodConfig
            {
                Names = { MethodName.Default },
                RetryPolicy = new RetryPolicy
                {
                    MaxAttempts = 5,
                    InitialBackoff = TimeSpan.FromMilliseconds(250),
                    MaxBackoff = TimeSpan.FromSeconds(5),
                    BackoffMultiplier = 2,
                    RetryableStatusCodes = { Grpc.Core.StatusCode.Unavailable },
                },
            },
        },
    },
});
var usage = new Usage(new IngestService.IngestServiceClient(channel), TimeProvider.System);
await usage.SendBatchAsync();
await usage.SendWrongAsync();
await usage.ExchangeAsync();
