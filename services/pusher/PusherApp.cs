using System.Security.Cryptography;
using StripeMeter.Defaults.Billing;
using StripeMeter.Defaults.Configuration;
using StripeMeter.Defaults.Hosting;
using StripeMeter.Defaults.Storage;
using StripeMeter.Metering.Pushing;
using StripeMeter.Pusher.Driving;
using StripeMeter.Pusher.Mappings;
using StripeMeter.Pusher.Raising;
using StripeMeter.Pusher.StripeApi;
using StripeMeter.Pusher.Telemetry;
using StripeMeter.Pusher.Viewing;
using StripeMeter.Pusher.Waking;

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
        builder.Services.AddSettings<StripeOptions>(builder.Configuration).RefuseLiveKeyElsewhere();
        builder.AddMeterStore();
        builder.Services.AddSingleton<StripeCalls>();
        builder.Services.AddSingleton<AccountGates>();
        builder.Services.AddSingleton<MeterDirectory>();
        builder.Services.AddSingleton<SummaryReader>();
        builder.Services.AddSingleton<MeterFinder>();
        builder.Services.AddSingleton<PusherInstruments>();
        builder.Services.AddSingleton<IMeterEventSink, MeterEventSender>();
        builder.Services.AddSingleton(new PushProtocol(options.ToRules(), () => RandomNumberGenerator.GetInt32(JitterSteps + 1)));
        builder.Services.AddSingleton<ErrorReports>();
        builder.Services.AddSingleton<InvoiceDeadlines>();
        builder.Services.AddSingleton<CounterSweep>();
        builder.Services.AddSingleton<DueDocuments>();
        builder.Services.AddSingleton<DrivingService>();
        builder.Services.AddSingleton<RaisingService>();
        builder.Services.AddHostedService(services => services.GetRequiredService<DrivingService>());
        builder.Services.AddHostedService(services => services.GetRequiredService<RaisingService>());
        configure?.Invoke(builder);

        var app = builder.Build();
        app.MapSubscribeHandler();
        app.MapCountersChanged();
        app.MapGrpcService<MappingServiceEndpoint>();
        app.MapGrpcService<PushServiceEndpoint>();
        app.MapDefaults();
        return app;
    }
}
