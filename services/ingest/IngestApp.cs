using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Configuration;
using StripeMeter.Defaults.Hosting;
using StripeMeter.Defaults.Storage;
using StripeMeter.Ingest.Adjusting;
using StripeMeter.Ingest.Anchoring;
using StripeMeter.Ingest.AuditLog;
using StripeMeter.Ingest.Backfilling;
using StripeMeter.Ingest.Conflicts;
using StripeMeter.Ingest.Controlling;
using StripeMeter.Ingest.DeadLetters;
using StripeMeter.Ingest.Identity;
using StripeMeter.Ingest.Ingesting;
using StripeMeter.Ingest.Listing;
using StripeMeter.Ingest.Publishing;
using StripeMeter.Ingest.Replaying;
using StripeMeter.Ingest.RequestKeys;
using StripeMeter.Ingest.Subscribing;

namespace StripeMeter.Ingest;

/// <summary>The ingest service: takes events into the ledger, tells the aggregator, and lists them.</summary>
public static class IngestApp
{
    public static WebApplication Build(
        string[] args, IEnumerable<KeyValuePair<string, string?>>? settings = null,
        Action<WebApplicationBuilder>? configure = null)
    {
        var builder = ServiceHost.CreateBuilder(AppCatalogue.Ingest, args, settings);
        builder.Services.AddSettings<IngestOptions>(builder.Configuration);
        builder.Services.AddSettings<PublishingOptions>(builder.Configuration);
        builder.Services.AddSettings<ControlOptions>(builder.Configuration);
        builder.Services.AddSettings<DeadLetterOptions>(builder.Configuration);
        builder.Services.AddSettings<BackfillSettings>(builder.Configuration);
        builder.AddMeterStore();
        builder.Services.AddSingleton<IngestInstruments>();
        builder.Services.AddSingleton<ConflictReporter>();
        builder.Services.AddSingleton<BatchIngester>();
        builder.Services.AddSingleton<AppendedPublisher>();
        builder.Services.AddHostedService(services => services.GetRequiredService<AppendedPublisher>());
        builder.Services.AddSingleton<ControlInstruments>();
        builder.Services.AddSingleton<ControlAnnouncer>();
        builder.Services.AddSingleton(new PublisherTopics(
            builder.Services.AddSettings<PublisherOptions>(builder.Configuration).Publishers,
            SettingsReader.Read<AccessOptions>(builder.Configuration).BypassesAuthentication));
        builder.Services.AddSingleton<SubscriptionInstruments>();
        builder.Services.AddSingleton<PublicationTaker>();
        builder.Services.AddSingleton<DeadLetterKeeper>();
        builder.Services.AddSingleton<BackfillInstruments>();
        builder.Services.AddSingleton<EventStager>();
        builder.Services.AddSingleton<BackfillService>();
        builder.Services.AddHostedService(services => services.GetRequiredService<BackfillService>());
        configure?.Invoke(builder);

        var app = builder.Build();
        app.MapSubscribeHandler();
        app.MapUsageEvents();
        app.MapGrpcService<IngestServiceEndpoint>();
        app.MapGrpcService<EventServiceEndpoint>();
        app.MapGrpcService<AdjustmentServiceEndpoint>();
        app.MapGrpcService<ReplayServiceEndpoint>();
        app.MapGrpcService<AnchorServiceEndpoint>();
        app.MapGrpcService<DeadLetterServiceEndpoint>();
        app.MapGrpcService<BackfillServiceEndpoint>();
        app.MapGrpcService<IdentityServiceEndpoint>();
        app.MapGrpcService<AuditLogServiceEndpoint>();
        app.MapGrpcService<RequestKeyServiceEndpoint>();
        app.MapDefaults();
        return app;
    }
}
