using StripeMeter.Defaults.Configuration;
using StripeMeter.Defaults.Hosting;
using StripeMeter.Defaults.Storage;
using StripeMeter.Ingest.Conflicts;
using StripeMeter.Ingest.Ingesting;
using StripeMeter.Ingest.Listing;
using StripeMeter.Ingest.Publishing;

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
        builder.AddMeterStore();
        builder.Services.AddSingleton<IngestInstruments>();
        builder.Services.AddSingleton<ConflictReporter>();
        builder.Services.AddSingleton<BatchIngester>();
        builder.Services.AddSingleton<AppendedPublisher>();
        builder.Services.AddHostedService(services => services.GetRequiredService<AppendedPublisher>());
        configure?.Invoke(builder);

        var app = builder.Build();
        app.MapGrpcService<IngestServiceEndpoint>();
        app.MapGrpcService<EventServiceEndpoint>();
        app.MapDefaults();
        return app;
    }
}
