using StripeMeter.Defaults.Hosting;

namespace StripeMeter.Aggregator.CounterShards;

internal static class CounterShardRegistration
{
    public static void AddCounterShards(this WebApplicationBuilder builder, FoldingOptions folding)
    {
        builder.Services.AddActors(options =>
        {
            // The SDK's own default is read from the environment, which services in one process share.
            if (builder.Configuration["DAPR_HTTP_ENDPOINT"] is { Length: > 0 } endpoint)
                options.HttpEndpoint = endpoint;
            else if (builder.Configuration["DAPR_HTTP_PORT"] is { Length: > 0 } port)
                options.HttpEndpoint = $"http://127.0.0.1:{port}";
            if (builder.Configuration["DAPR_API_TOKEN"] is { Length: > 0 } token)
                options.DaprApiToken = token;
            options.ActorIdleTimeout = TimeSpan.FromSeconds(folding.ActorIdleSeconds);
            options.Actors.RegisterActor<CounterShard>(DaprNames.CounterShardActor);
        });
    }
}
