using System.Text.Json.Nodes;
using StripeMeter.StripeDouble.Http;
using StripeMeter.StripeDouble.Storage;

namespace StripeMeter.StripeDouble.Subscriptions;

/// <summary>An item as a request names it.</summary>
internal sealed record SubscriptionItem(string PriceId, long? Quantity, JsonObject Metadata)
{
    public const string Kind = "subscription_item";

    public static SubscriptionItem Read(Parameters parameters) =>
        new(parameters.RequiredText("price"), parameters.Integer("quantity"), Http.Metadata.Read(parameters));

    public static BillingCycle CycleOf(JsonObject price, long anchorSeconds) =>
        new(anchorSeconds, (string)price["recurring"]!["interval"]!, (int)price["recurring"]!["interval_count"]!);

    public static bool IsMetered(JsonObject price) => (string?)price["recurring"]?["usage_type"] == "metered";

    /// <exception cref="StripeRefusal">A quantity is given for what is metered.</exception>
    public JsonObject ToJson(string subscription, JsonObject price, long start, long end)
    {
        if (IsMetered(price) && Quantity is not null)
            throw StripeRefusal.Invalid("items[0][quantity]", "Quantity should not be specified where usage is metered.");
        var shown = price.DeepClone().AsObject();
        shown.Remove("tiers");
        var item = new JsonObject
        {
            ["id"] = Identifiers.Create("si_", 14),
            ["object"] = Kind,
            ["created"] = start,
            ["current_period_end"] = end,
            ["current_period_start"] = start,
            ["discounts"] = new JsonArray(),
            ["metadata"] = Metadata.DeepClone(),
            ["price"] = shown,
            ["subscription"] = subscription,
            ["tax_rates"] = new JsonArray(),
        };
        if (!IsMetered(price))
            item["quantity"] = Quantity ?? 1;
        return item;
    }
}
