using Grpc.AspNetCore.Server;
using StripeMeter.Defaults.Configuration;
using StripeMeter.Defaults.Hosting;
using StripeMeter.Defaults.Invocation;
using StripeMeter.Gateway.Access;
using StripeMeter.Gateway.Adjustments;
using StripeMeter.Gateway.Administration;
using StripeMeter.Gateway.Anchoring;
using StripeMeter.Gateway.AuditLog;
using StripeMeter.Gateway.Backfilling;
using StripeMeter.Gateway.Counters;
using StripeMeter.Gateway.DeadLetters;
using StripeMeter.Gateway.Deltas;
using StripeMeter.Gateway.Errors;
using StripeMeter.Gateway.Events;
using StripeMeter.Gateway.Explaining;
using StripeMeter.Gateway.Health;
using StripeMeter.Gateway.Mappings;
using StripeMeter.Gateway.OpenApi;
using StripeMeter.Gateway.Pushes;
using StripeMeter.Gateway.Reconciliation;
using StripeMeter.Gateway.Replay;
using StripeMeter.Gateway.Requests;
using StripeMeter.Gateway.Simulations;
using StripeMeter.Gateway.Usage;
using StripeMeter.Gateway.Webhooks;
using StripeMeter.V1;

namespace StripeMeter.Gateway;

/// <summary>The gateway: the REST API, spoken to the services by gRPC through Dapr. It keeps nothing.</summary>
public static class GatewayApp
{
    public static WebApplication Build(
        string[] args, IEnumerable<KeyValuePair<string, string?>>? settings = null,
        Action<WebApplicationBuilder>? configure = null)
    {
        var builder = ServiceHost.CreateBuilder(AppCatalogue.Gateway, args, settings, ListenPublicly);
        var options = builder.Services.AddSettings<GatewayOptions>(builder.Configuration);
        builder.Services.ConfigureHttpJsonOptions(json => Json.Configure(json.SerializerOptions));
        builder.Services.AddClients(TimeSpan.FromSeconds(options.CallTimeoutSeconds));
        builder.Services.AddSingleton<GatewayInstruments>();
        builder.Services.AddSingleton<ActiveMappings>();
        builder.Services.AddSingleton<MetricFacts>();
        builder.Services.AddSingleton<UsageAlerts>();
        builder.Services.AddSingleton<IngestAdmission>();
        builder.Services.AddSingleton<IngestDispatcher>();
        builder.Services.AddHostedService(services => services.GetRequiredService<IngestDispatcher>());
        builder.Services.AddSingleton<AddressLimiter>();
        builder.Services.AddGatewayHealth();
        builder.Services.AddBrowsers(options);

        // The catch-all for unknown gRPC services takes any method, and would turn every 405 of REST into a 404.
        builder.Services.Configure<GrpcServiceOptions>(grpc => grpc.IgnoreUnknownServices = true);
        builder.Services.AddDocument();
        configure?.Invoke(builder);

        var app = builder.Build();
        app.UseForwardedHeaders();
        app.UseMiddleware<RequestIdMiddleware>();
        app.UseMiddleware<SecurityHeaders>();
        app.UseMiddleware<RequestMetricsMiddleware>();
        app.UseMiddleware<ProblemMiddleware>();
        app.UseMiddleware<LoadShedding>();
        app.UseRouting();
        app.UseCors();
        app.UseMiddleware<AccessMiddleware>();
        app.UseMiddleware<RequestKeyMiddleware>();
        app.MapEvents();
        app.MapDeadLetters();
        app.MapUsage();
        app.MapMappings();
        app.MapCounters();
        app.MapDeltas();
        app.MapShadow();
        app.MapWebhooks();
        app.MapAdjustments();
        app.MapAnchors();
        app.MapReplay();
        app.MapBackfills();
        app.MapExplaining();
        app.MapScenarios();
        app.MapRuns();
        app.MapBatches();
        app.MapComparison();
        app.MapInvoiceCheck();
        app.MapAdministration();
        app.MapAuditLog();
        app.MapReconciliation();
        app.MapPushExplaining();
        app.MapHealth();
        app.MapDocument();
        app.MapDefaults();
        return app;
    }

    private static void ListenPublicly(EndpointOptions listen, IConfiguration configuration)
    {
        var options = SettingsReader.Read<GatewayOptions>(configuration);
        (listen.ProbeHost, listen.ProbePort) = (options.Host, options.Port);
        (listen.ProbeCertificate, listen.ProbeCertificateKey) = (options.TlsCertificate, options.TlsKey);
    }

    private static void AddClients(this IServiceCollection services, TimeSpan timeout)
    {
        services.AddServiceCalls(AppCatalogue.Ingest, timeout)
            .AddClient<IngestService.IngestServiceClient>(calls => new(calls))
            .AddClient<EventService.EventServiceClient>(calls => new(calls))
            .AddClient<DeadLetterService.DeadLetterServiceClient>(calls => new(calls))
            .AddClient<AdjustmentService.AdjustmentServiceClient>(calls => new(calls))
            .AddClient<AnchorService.AnchorServiceClient>(calls => new(calls))
            .AddClient<ReplayService.ReplayServiceClient>(calls => new(calls))
            .AddClient<BackfillService.BackfillServiceClient>(calls => new(calls))
            .AddClient<IdentityService.IdentityServiceClient>(calls => new(calls))
            .AddClient<AuditLogService.AuditLogServiceClient>(calls => new(calls))
            .AddClient<RequestKeyService.RequestKeyServiceClient>(calls => new(calls));
        services.AddServiceCalls(AppCatalogue.Aggregator, timeout)
            .AddClient<CounterService.CounterServiceClient>(calls => new(calls))
            .AddClient<AuditService.AuditServiceClient>(calls => new(calls))
            .AddClient<ExplainService.ExplainServiceClient>(calls => new(calls))
            .AddClient<UsageService.UsageServiceClient>(calls => new(calls));
        services.AddServiceCalls(AppCatalogue.Pusher, timeout)
            .AddClient<MappingService.MappingServiceClient>(calls => new(calls))
            .AddClient<PushService.PushServiceClient>(calls => new(calls))
            .AddClient<WebhookService.WebhookServiceClient>(calls => new(calls))
            .AddClient<PushExplainService.PushExplainServiceClient>(calls => new(calls))
            .AddClient<ReconciliationService.ReconciliationServiceClient>(calls => new(calls));
        services.AddServiceCalls(AppCatalogue.Pricing, timeout)
            .AddClient<PricingService.PricingServiceClient>(calls => new(calls))
            .AddClient<SimulationService.SimulationServiceClient>(calls => new(calls));
    }
}
