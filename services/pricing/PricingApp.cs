using Stripe;
using StripeMeter.Defaults.Billing;
using StripeMeter.Defaults.Configuration;
using StripeMeter.Defaults.Hosting;
using StripeMeter.Defaults.Invocation;
using StripeMeter.Defaults.Storage;
using StripeMeter.Pricing.Checking;
using StripeMeter.Pricing.Comparing;
using StripeMeter.Pricing.Credits;
using StripeMeter.Pricing.Prices;
using StripeMeter.Pricing.Projecting;
using StripeMeter.Pricing.Simulating;
using StripeMeter.V1;

namespace StripeMeter.Pricing;

/// <summary>The pricing service: what usage costs by the mapped Stripe prices, and would cost by others.</summary>
public static class PricingApp
{
    public static WebApplication Build(
        string[] args, IEnumerable<KeyValuePair<string, string?>>? settings = null,
        Action<WebApplicationBuilder>? configure = null)
    {
        var builder = ServiceHost.CreateBuilder(AppCatalogue.Pricing, args, settings);
        var options = builder.Services.AddSettings<PricingOptions>(builder.Configuration);
        var stripe = builder.Services.AddStripeSettings(builder.Configuration);
        var timeout = TimeSpan.FromSeconds(options.CallTimeoutSeconds);
        builder.Services.AddServiceCalls(AppCatalogue.Aggregator, timeout)
            .AddClient<UsageService.UsageServiceClient>(calls => new(calls)).AddClient<CounterService.CounterServiceClient>(calls => new(calls));
        builder.Services.AddServiceCalls(AppCatalogue.Pusher, timeout).AddClient<MappingService.MappingServiceClient>(calls => new(calls));
        builder.Services.AddSingleton(_ => new StripeAccess(stripe.IsConfigured ? CreateClient(stripe.EffectiveKey, stripe, timeout) : null)
        {
            Accounts = stripe.Accounts.ToDictionary(entry => entry.Key, entry => CreateClient(entry.Value.Reveal(), stripe, timeout), StringComparer.Ordinal),
        });
        builder.Services.AddSingleton<StripePrices>();
        builder.Services.AddSingleton<PriceCache>();
        builder.Services.AddSingleton<MappedPrices>();
        builder.Services.AddSingleton<CustomerCredits>();
        builder.Services.AddSingleton<UsageForecasts>();
        builder.Services.AddSingleton<StripeInvoices>();
        builder.Services.AddSingleton<InvoiceChecks>();
        builder.Services.AddSingleton<PriceComparisons>();
        builder.Services.AddSettings<SimulationOptions>(builder.Configuration);
        builder.AddMeterStore();
        builder.Services.AddSingleton<RunWorker>();
        builder.Services.AddHostedService(services => services.GetRequiredService<RunWorker>());
        configure?.Invoke(builder);

        var app = builder.Build();
        app.MapGrpcService<ProjectionService>();
        app.MapGrpcService<SimulationServiceEndpoint>();
        app.MapDefaults();
        return app;
    }

    private static StripeClient CreateClient(string key, StripeOptions options, TimeSpan timeout) => new(new StripeClientOptions
    {
        ApiKey = key,
        ApiBase = options.ApiBase.ToString().TrimEnd('/'),
        HttpClient = new SystemNetHttpClient(new HttpClient { Timeout = timeout }, maxNetworkRetries: 1, enableTelemetry: false),
    });
}
