using StripeMeter.Defaults.Configuration;
using StripeMeter.Metering.Reconciling;
using StripeMeter.Metering.Stores;
using StripeMeter.Pusher.StripeApi;

namespace StripeMeter.Pusher.Reconciling;

/// <summary>Registers what compares Stripe with the ledger.</summary>
internal static class ReconcilingParts
{
    public static void AddReconciling(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        var options = services.AddSettings<ReconciliationOptions>(builder.Configuration);
        services.AddSingleton(provider => new BudgetedSummaries(
            provider.GetRequiredService<SummaryReader>(),
            new ReadBudget(provider.GetRequiredService<IMeterStore>().Directory, options.ReadsPerDay, provider.GetRequiredService<TimeProvider>())));
        services.AddSingleton<ReconciliationInstruments>();
        services.AddSingleton<ReconcilingService>();
        services.AddSingleton<SuggestionApplier>();
        services.AddHostedService(provider => provider.GetRequiredService<ReconcilingService>());
    }
}
