using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Configuration;
using StripeMeter.Defaults.Health;
using StripeMeter.Metering.Stores;
using StripeMeter.Storage;

namespace StripeMeter.Defaults.Storage;

/// <summary>Gives a service its store: opened and prepared before the service listens, ready when it serves, closed at the end.</summary>
public static class MeterStoreRegistration
{
    public static void AddMeterStore(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var options = builder.Services.AddSettings<StorageOptions>(builder.Configuration);
        builder.Services.AddSingleton<IMeterStore>(services => new GuardedStore(Open(options, services.GetRequiredService<TimeProvider>())));
        builder.LookUpKeysInStore(SettingsReader.Read<AccessOptions>(builder.Configuration));
        builder.Services.AddHostedService<Preparation>();
        builder.Services.AddHealthChecks().AddReadyCheck<StoreCheck>("store");
    }

    /// <summary>Opens the store that is configured, unguarded: for whoever owns the data.</summary>
    /// <exception cref="InvalidSettingException">A setting cannot be used.</exception>
    public static IMeterStore Open(StorageOptions options, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(options);
        try
        {
            var store = new MeterStoreOptions
            {
                Engine = options.Engine, DataDirectory = options.DataDirectory, MongoUrl = options.MongoUrl,
                MongoDatabase = options.MongoDatabase,
            };
            return MeterStoreFactory.Create(store, clock);
        }
        catch (InvalidStoreOptionException problem)
        {
            var setting = typeof(StorageOptions).GetProperty(problem.Option)?.GetCustomAttribute<SettingAttribute>();
            throw new InvalidSettingException($"{setting?.Name ?? problem.Option}: {problem.Reason}", problem);
        }
    }

    private sealed class Preparation(IMeterStore store) : IHostedLifecycleService
    {
        public Task StartingAsync(CancellationToken cancellationToken) => store.PrepareAsync(cancellationToken);

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
