using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using StripeMeter.Defaults.Hosting;
using StripeMeter.Pricing;
using Xunit;

namespace StripeMeter.Gateway.Tests.Kit;

/// <summary>The real pricing service with the real Stripe client, between a stand-in of the services and the Stripe double.</summary>
public sealed class RunningPricing : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("pricing-tests-").FullName;
    private WebApplication _app = null!;

    /// <summary>Ages of what is held are measured by it.</summary>
    public FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 1, 20, 0, 0, 0, TimeSpan.Zero));

    public Backend Backend { get; private set; } = null!;

    public PriceBook Stripe { get; private set; } = null!;

    public GrpcChannel Channel { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Backend = await Backend.StartAsync();
        Stripe = await PriceBook.StartAsync();
        await StartAsync();
    }

    /// <summary>Stops the service and starts it again on the same data.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await Stripe.DisposeAsync();
        await Backend.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task StartAsync()
    {
        _app = PricingApp.Build([], new Dictionary<string, string?>
        {
            ["APP_PORT"] = "0",
            ["PROBE_PORT"] = "0",
            ["LOG_LEVEL"] = "critical",
            ["DATA_DIRECTORY"] = _folder,
            ["BYPASS_AUTH"] = "1",
            ["DAPR_GRPC_ENDPOINT"] = Backend.GrpcEndpoint,
            ["DAPR_HTTP_ENDPOINT"] = Backend.HttpEndpoint,
            ["STRIPE_API_BASE"] = Stripe.Address,
            ["PRICE_CACHE_SECONDS"] = "300",
            ["PRICE_CACHE_ENTRIES"] = "2",
        }, builder => builder.Services.AddSingleton<TimeProvider>(new CacheClock(Clock)));
        await _app.StartAsync();
        Channel = GrpcChannel.ForAddress($"http://127.0.0.1:{_app.AppPort()}");
    }

    private async Task StopAsync()
    {
        Channel.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    /// <summary>Measures ages by the test's clock, but tells the real time, which deadlines need.</summary>
    private sealed class CacheClock(FakeTimeProvider clock) : TimeProvider
    {
        public override long TimestampFrequency => clock.TimestampFrequency;

        public override long GetTimestamp() => clock.GetTimestamp();
    }
}
