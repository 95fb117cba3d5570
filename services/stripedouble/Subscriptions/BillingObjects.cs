using System.Text.Json.Nodes;
using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Customers;
using StripeMeter.StripeDouble.Invoices;
using StripeMeter.StripeDouble.Prices;
using StripeMeter.StripeDouble.Products;
using StripeMeter.StripeDouble.Storage;

namespace StripeMeter.StripeDouble.Subscriptions;

/// <summary>The objects that billing is about, and how they hang together.</summary>
internal sealed class BillingObjects
{
    public ObjectStore Customers { get; } = new(CustomerApi.Kind);

    public ObjectStore Products { get; } = new(ProductApi.Kind);

    public ObjectStore Prices { get; } = new(PriceApi.Kind);

    public ObjectStore Subscriptions { get; } = new(SubscriptionApi.Kind);

    public ObjectStore Invoices { get; } = new(InvoiceApi.Kind);

    public static IEnumerable<JsonObject> ItemsOf(JsonObject subscription) =>
        subscription["items"]!["data"]!.AsArray().Select(static item => item!.AsObject());

    /// <summary>When the running period of a subscription began, and when it ends.</summary>
    public static (long Start, long End) PeriodOf(JsonObject subscription)
    {
        var item = ItemsOf(subscription).First();
        return ((long)item["current_period_start"]!, (long)item["current_period_end"]!);
    }

    public static void SetPeriodEnd(JsonObject subscription, long end)
    {
        foreach (var item in ItemsOf(subscription))
            item["current_period_end"] = end;
    }

    /// <summary>Ends a subscription.</summary>
    public static void End(JsonObject subscription, long seconds)
    {
        subscription["status"] = "canceled";
        subscription["canceled_at"] = seconds;
        subscription["ended_at"] = seconds;
    }

    /// <summary>An item of any subscription, by its id; null if there is none.</summary>
    public (JsonObject Subscription, JsonObject Item)? FindItem(SqliteSession session, string id)
    {
        foreach (var subscription in Subscriptions.All(session))
        {
            if (ItemsOf(subscription).FirstOrDefault(item => (string?)item["id"] == id) is { } item)
                return (subscription, item.DeepClone().AsObject());
        }

        return null;
    }
}
