using System.Text.Json.Nodes;
using StripeMeter.StripeDouble.Storage;

namespace StripeMeter.StripeDouble.Invoices;

/// <summary>Invoices as the API shows them.</summary>
internal static class Invoice
{
    public const string Draft = "draft";

    public const string Open = "open";

    /// <summary>An invoice without lines yet.</summary>
    /// <param name="subscription">What it bills.</param>
    /// <param name="period">The period that ended; both ends are the start of a subscription that begins.</param>
    /// <param name="created">When it is made.</param>
    /// <param name="finalizesAt">When it is to become final.</param>
    /// <param name="reason"><c>subscription_create</c> or <c>subscription_cycle</c>.</param>
    public static JsonObject Create(JsonObject subscription, (long Start, long End) period, long created, long finalizesAt, string reason)
    {
        var id = Identifiers.Create("in_", 24);
        return new()
        {
            ["id"] = id,
            ["object"] = InvoiceApi.Kind,
            ["amount_due"] = 0,
            ["amount_paid"] = 0,
            ["amount_remaining"] = 0,
            ["attempted"] = false,
            ["auto_advance"] = true,
            ["automatically_finalizes_at"] = finalizesAt,
            ["billing_reason"] = reason,
            ["collection_method"] = "charge_automatically",
            ["created"] = created,
            ["currency"] = (string?)subscription["currency"],
            ["customer"] = (string?)subscription["customer"],
            ["discounts"] = new JsonArray(),
            ["lines"] = new JsonObject { ["object"] = "list", ["data"] = new JsonArray(), ["has_more"] = false, ["url"] = $"/v1/invoices/{id}/lines" },
            ["livemode"] = false,
            ["metadata"] = new JsonObject(),
            ["number"] = null,
            ["parent"] = new JsonObject
            {
                ["type"] = "subscription_details",
                ["quote_details"] = null,
                ["subscription_details"] = new JsonObject { ["metadata"] = new JsonObject(), ["subscription"] = (string?)subscription["id"] },
            },
            ["period_end"] = period.End,
            ["period_start"] = period.Start,
            ["status"] = Draft,
            ["status_transitions"] = new JsonObject { ["finalized_at"] = null, ["marked_uncollectible_at"] = null, ["paid_at"] = null, ["voided_at"] = null },
            ["subtotal"] = 0,
            ["total"] = 0,
        };
    }

    /// <summary>Puts the lines in, and their sum.</summary>
    public static void SetLines(JsonObject invoice, IEnumerable<JsonObject> lines)
    {
        var data = new JsonArray([.. lines]);
        var total = data.Sum(static line => (long)line!["amount"]!);
        invoice["lines"]!["data"] = data;
        foreach (var name in new[] { "amount_due", "amount_remaining", "subtotal", "total" })
            invoice[name] = total;
    }

    public static bool IsDraft(JsonObject invoice) => (string?)invoice["status"] == Draft;
}
