using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StripeMeter.Defaults.Auditing;
using StripeMeter.Defaults.Configuration;
using StripeMeter.Defaults.Hosting;
using StripeMeter.Defaults.Invocation;
using StripeMeter.Defaults.Limits;
using StripeMeter.V1;

namespace StripeMeter.Defaults.Access;

/// <summary>Gives a service its door. Every service has one; there is no way to build one without.</summary>
internal static partial class AccessRegistration
{
    private static readonly TimeSpan AskTimeout = TimeSpan.FromSeconds(3);

    public static void AddAccess(this WebApplicationBuilder builder)
    {
        var options = builder.Services.AddSettings<AccessOptions>(builder.Configuration);
        options.RefuseHalfConfigured();
        builder.Services.AddSingleton<DeliveryGuard>();
        builder.Services.AddSingleton<IStartupFilter>(services => services.GetRequiredService<DeliveryGuard>());
        builder.Services.AddSingleton<AccessInstruments>();
        builder.Services.AddSingleton<RequestLimiter>();
        builder.Services.AddSingleton<ChangeRecorder>();
        builder.Services.AddSingleton<CallReader>();
        builder.Services.AddSingleton(CreateDoorkeeper);
        builder.Services.AddHostedService<Warning>();
        if (options.Secret is not { } secret)
            return;
        builder.Services.AddSingleton(secret);
        builder.Services.AddSingleton<CallerToken>();
        builder.Services.AddSingleton<VerifiedKeys>();
        builder.Services.AddSingleton<Credentials>();
        builder.Services.TryAddSingleton<IKeySource, AskedKeys>();
        builder.Services.AddServiceCalls(AppCatalogue.Ingest, AskTimeout)
            .AddClient<IdentityService.IdentityServiceClient>(calls => new(calls));
    }

    /// <summary>Has the door ask for the sidecar's token. Before anything else that stands between routes and what they reach.</summary>
    public static void UseAccess(this WebApplication app) => app.Use(app.Services.GetRequiredService<DeliveryGuard>().AskAsync);

    /// <summary>Has a service that has the store look keys up there.</summary>
    public static void LookUpKeysInStore(this WebApplicationBuilder builder, AccessOptions options)
    {
        if (options.BypassesAuthentication)
            return;
        builder.Services.AddSingleton<StoredKeys>();
        builder.Services.Replace(ServiceDescriptor.Singleton<IKeySource>(services => services.GetRequiredService<StoredKeys>()));
        builder.Services.AddHostedService(services => services.GetRequiredService<StoredKeys>());
    }

    private static Doorkeeper CreateDoorkeeper(IServiceProvider services) =>
        new(services.GetRequiredService<RequestLimiter>(), services.GetService<Credentials>(), services.GetService<CallerToken>());

    /// <summary>Says at the start, once more than once too little, that there is no authentication.</summary>
    private sealed partial class Warning(AccessOptions options, AppDefinition app, ILogger<AccessOptions> logger) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            if (options.BypassesAuthentication)
                LogBypass(logger, app.Id);
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        [LoggerMessage(12, LogLevel.Warning, "{App} runs without authentication (BYPASS_AUTH): whoever reaches its ports may do everything")]
        private static partial void LogBypass(ILogger logger, string app);
    }
}
