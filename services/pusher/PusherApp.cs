using System.Security.Cryptography;
using StripeMeter.Defaults.Billing;
using StripeMeter.Defaults.Configuration;
using StripeMeter.Defaults.Hosting;
using StripeMeter.Defaults.Invocation;
using StripeMeter.Defaults.Storage;
using StripeMeter.Metering.Pushing;
using StripeMeter.Pusher.Driving;
using StripeMeter.Pusher.Explaining;
using StripeMeter.Pusher.Mappings;
using StripeMeter.Pusher.Raising;
using StripeMeter.Pusher.Reconciling;
using StripeMeter.Pusher.Recording;
using StripeMeter.Pusher.StripeApi;
using StripeMeter.Pusher.Subscriptions;
using StripeMeter.Pusher.Telemetry;
using StripeMeter.Pusher.Viewing;
using StripeMeter.Pusher.Waking;
using StripeMeter.Pusher.Webhooks;
using StripeMeter.V1;

namespace StripeMeter.Pusher;

/// <summary>The pusher: keeps mappings and the delta ledger, and tells Stripe the difference.</summary>
public static class PusherApp
{
    private const int JitterSteps = 1_000;

    public static WebApplication Build(
        string[] args, IEnumerable<KeyValuePair<string, string?>>? settings = null,
        Action<WebApplicationBuilder>? configure = null)
    {
        var builder = ServiceHost.CreateBuilder(AppCatalogue.Pusher, args, settings);
        var options = builder.Services.AddSettings<PusherOptions>(builder.Configuration);
        builder.Services.AddStripeSettings(builder.Configuration);
        builder.AddMeterStore();
        builder.Services.AddSingleton<StripeAccounts>();
        builder.Services.AddSingleton<AccountGates>();
        builder.Services.AddSingleton<MeterDirectory>();
        builder.Services.AddSingleton<PriceMeters>();
        builder.Services.AddSingleton<SummaryReader>();
        builder.Services.AddSingleton<MeterFinder>();
        builder.Services.AddSingleton<PusherInstruments>();
        builder.Services.AddSingleton<ShadowComparer>();
        builder.Services.AddSingleton<IMeterEventSink, MeterEventSender>();
        builder.Services.AddSingleton(new PushProtocol(options.ToRules(), () => RandomNumberGenerator.GetInt32(JitterSteps + 1)));
        builder.Services.AddServiceCalls(AppCatalogue.Ingest, options.ServiceTimeout).AddClient<AnchorService.AnchorServiceClient>(calls => new(calls))
            .AddClient<AdjustmentService.AdjustmentServiceClient>(calls => new(calls));
        builder.Services.AddServiceCalls(AppCatalogue.Pricing, options.ServiceTimeout).AddClient<PricingService.PricingServiceClient>(calls => new(calls));
        builder.Services.AddWebhooks();
        builder.Services.AddSingleton<SubscriptionFollower>();
        builder.Services.AddSingleton<SubscriptionReader>();
        builder.Services.AddHostedService(services => services.GetRequiredService<SubscriptionReader>());
        builder.Services.AddSingleton<DriverTargets>();
        builder.Services.AddSingleton<ErrorReports>();
        builder.Services.AddSingleton<InvoiceDeadlines>();
        builder.Services.AddSingleton<CounterSweep>();
        builder.Services.AddSingleton<ChangedMappings>();
        builder.Services.AddSingleton<DueDocuments>();
        builder.Services.AddSingleton<DrivingService>();
        builder.Services.AddSingleton<RaisingService>();
        builder.Services.AddHostedService<ShadowCheck>();
        builder.Services.AddHostedService(services => services.GetRequiredService<DrivingService>());
        builder.Services.AddHostedService(services => services.GetRequiredService<RaisingService>());
        builder.AddReconciling();
        configure?.Invoke(builder);

        var app = builder.Build();
        app.MapSubscribeHandler();
        app.MapCountersChanged();
        app.MapGrpcService<MappingServiceEndpoint>();
        app.MapGrpcService<PushServiceEndpoint>();
        app.MapGrpcService<WebhookServiceEndpoint>();
        app.MapGrpcService<BillingDriverEndpoint>();
        app.MapGrpcService<ReconciliationServiceEndpoint>();
        app.MapGrpcService<PushExplainEndpoint>();
        app.MapDefaults();
        return app;
    }
}
