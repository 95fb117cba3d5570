using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
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
        builder.Services.AddSingleton(services => Open(options, services.GetRequiredService<TimeProvider>()));
        builder.Services.AddHostedService<Preparation>();
        builder.Services.AddHealthChecks().AddReadyCheck<StoreCheck>("store");
    }

    private static IMeterStore Open(StorageOptions options, TimeProvider clock)
    {
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
