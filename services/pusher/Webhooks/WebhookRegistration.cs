namespace StripeMeter.Pusher.Webhooks;

/// <summary>Registers what takes Stripe's events, and what does something about them.</summary>
internal static class WebhookRegistration
{
    public static void AddWebhooks(this IServiceCollection services)
    {
        services.AddSingleton<WebhookInbox>();
        services.AddSingleton<IStripeEventHandler, ErrorReportHandler>();
        services.AddSingleton<IStripeEventHandler, InvoiceHandler>();
        services.AddSingleton<IStripeEventHandler, SubscriptionHandler>();
        services.AddSingleton<IStripeEventHandler, PriceHandler>();
        services.AddSingleton<WebhookWorker>();
        services.AddHostedService(provider => provider.GetRequiredService<WebhookWorker>());
    }
}
