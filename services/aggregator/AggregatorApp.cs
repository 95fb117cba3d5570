using StripeMeter.Aggregator.Auditing;
using StripeMeter.Aggregator.CatchingUp;
using StripeMeter.Aggregator.CounterShards;
using StripeMeter.Aggregator.Explaining;
using StripeMeter.Aggregator.Querying;
using StripeMeter.Aggregator.Recounting;
using StripeMeter.Aggregator.Subscribing;
using StripeMeter.Defaults.Configuration;
using StripeMeter.Defaults.Hosting;
using StripeMeter.Defaults.Invocation;
using StripeMeter.Defaults.Storage;
using StripeMeter.V1;

namespace StripeMeter.Aggregator;

/// <summary>The aggregator: folds the ledger into counters in one Dapr actor per shard, and answers what was counted.</summary>
public static class AggregatorApp
{
    public static WebApplication Build(
        string[] args, IEnumerable<KeyValuePair<string, string?>>? settings = null,
        Action<WebApplicationBuilder>? configure = null)
    {
        var builder = ServiceHost.CreateBuilder(AppCatalogue.Aggregator, args, settings);
        var folding = builder.Services.AddSettings<FoldingOptions>(builder.Configuration);
        builder.Services.AddSettings<CatchUpSettings>(builder.Configuration);
        builder.Services.AddSettings<RecountSettings>(builder.Configuration);
        builder.Services.AddSettings<AuditSettings>(builder.Configuration);
        builder.Services.AddSettings<SubscriptionOptions>(builder.Configuration);
        builder.Services.AddSettings<QueryOptions>(builder.Configuration);
        builder.Services.AddSingleton<WindowQueries>();
        builder.AddMeterStore();
        builder.Services.AddSingleton<FoldInstruments>();
        builder.Services.AddSingleton<CounterShardClient>();
        builder.Services.AddSingleton<ChangeAnnouncer>();
        builder.Services.AddHostedService(services => services.GetRequiredService<ChangeAnnouncer>());
        builder.Services.AddHostedService<CatchUpService>();
        builder.Services.AddHostedService<RecountService>();
        builder.Services.AddHostedService<AuditorService>();
        builder.AddCounterShards(folding);
        builder.Services.AddServiceCalls(AppCatalogue.Pusher, DeltaReader.Patience)
            .AddClient<PushService.PushServiceClient>(calls => new(calls));
        builder.Services.AddSingleton<DeltaReader>();
        configure?.Invoke(builder);

        var app = builder.Build();
        app.MapActorsHandlers();
        app.MapSubscribeHandler();
        app.MapUsageAppended();
        app.MapGrpcService<CounterServiceEndpoint>();
        app.MapGrpcService<UsageServiceEndpoint>();
        app.MapGrpcService<AuditServiceEndpoint>();
        app.MapGrpcService<ExplainServiceEndpoint>();
        app.MapDefaults();
        return app;
    }
}
