using System.Text.Json.Nodes;
using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Http;
using StripeMeter.StripeDouble.Invoices;
using StripeMeter.StripeDouble.Notices;
using StripeMeter.StripeDouble.Storage;

namespace StripeMeter.StripeDouble.Subscriptions;

/// <summary><c>/v1/subscriptions</c>: create, get, list, update, cancel; and <c>/v1/subscription_items/{id}</c>.</summary>
internal sealed class SubscriptionApi(StripeDoubleOptions options, BillingObjects objects, BillingRun billing, NoticeBoard board)
{
    public const string Kind = "subscription";

    private const string Path = "/v1/subscriptions";
    private const int MaximumItems = 20;

    public IEnumerable<StripeRoute> Routes =>
    [
        new("POST", Path, Create),
        new("GET", Path, List),
        new("GET", $"{Path}/{{id}}", Get),
        new("POST", $"{Path}/{{id}}", Update),
        new("DELETE", $"{Path}/{{id}}", Cancel),
        new("GET", "/v1/subscription_items/{id}", GetItem),
    ];

    private Operation Create(StripeCall call, SqliteSession session)
    {
        var parameters = call.Parameters;
        var customer = parameters.RequiredText("customer");
        var anchor = parameters.Integer("billing_cycle_anchor") ?? call.NowSeconds;
        var items = parameters.Maps("items").Select(SubscriptionItem.Read).ToList();
        if (items.Count is 0 or > MaximumItems)
            throw items.Count == 0 ? StripeRefusal.Missing("items") : StripeRefusal.Invalid("items", $"A subscription can have at most {MaximumItems} items.");
        if (anchor < call.NowSeconds)
            throw StripeRefusal.Invalid("billing_cycle_anchor", "billing_cycle_anchor must not be in the past.");
        parameters.Choice("proration_behavior", "always_invoice", "create_prorations", "none");
        var description = parameters.Text("description");
        var metadata = Metadata.Read(parameters);
        parameters.Expansion();
        parameters.RefuseUnknown();
        return new(writer =>
        {
            if (options.RequireKnownCustomers)
                objects.Customers.Get(writer, customer, "customer");
            var prices = items.Select(item => objects.Prices.Get(writer, item.PriceId, "items[0][price]")).ToList();
            RefuseMixed(prices);
            var subscription = ToJson(call, customer, anchor, description, metadata);
            var cycle = SubscriptionItem.CycleOf(prices[0], anchor);
            var rows = items.Zip(prices, (item, price) => item.ToJson(
                (string)subscription["id"]!, price, call.NowSeconds, cycle.NextAfter(call.NowSeconds)));
            subscription["items"]!["data"] = new JsonArray([.. rows]);
            var stored = objects.Subscriptions.Add(writer, subscription);
            billing.Begin(writer, stored, call.Now);
            board.Snapshot(writer, "customer.subscription.created", stored, call.Now);
            return stored;
        });
    }

    private Operation Get(StripeCall call, SqliteSession session)
    {
        call.Parameters.Expansion("items.data.price");
        call.Parameters.RefuseUnknown();
        return new(reader => objects.Subscriptions.Get(reader, call.Id));
    }

    private Operation GetItem(StripeCall call, SqliteSession session)
    {
        call.Parameters.Expansion();
        call.Parameters.RefuseUnknown();
        return new(reader => objects.FindItem(reader, call.Id)?.Item ?? throw StripeRefusal.NoSuch("subscription_item", call.Id));
    }

    private Operation List(StripeCall call, SqliteSession session)
    {
        var page = Page.Read(call.Parameters);
        var customer = call.Parameters.Text("customer");
        var price = call.Parameters.Text("price");
        var status = call.Parameters.Choice("status", "active", "all", "canceled", "ended") ?? "active";
        call.Parameters.Expansion("data.items.data.price");
        call.Parameters.RefuseUnknown();
        return new(reader => objects.Subscriptions.List(reader, Path, page, subscription =>
            (customer is null || (string?)subscription["customer"] == customer)
            && (price is null || BillingObjects.ItemsOf(subscription).Any(item => (string?)item["price"]!["id"] == price))
            && (status == "all" || (string?)subscription["status"] == (status == "ended" ? "canceled" : status))));
    }

    private Operation Update(StripeCall call, SqliteSession session)
    {
        var parameters = call.Parameters;
        var anchor = parameters.Choice("billing_cycle_anchor", "now", "unchanged");
        var cancels = parameters.Boolean("cancel_at_period_end");
        var description = parameters.Text("description");
        var metadata = parameters.Map("metadata") is null ? null : Metadata.Read(parameters);
        parameters.Choice("proration_behavior", "always_invoice", "create_prorations", "none");
        parameters.Expansion();
        parameters.RefuseUnknown();
        return new(writer =>
        {
            var subscription = Active(writer, call.Id);
            var before = subscription.DeepClone().AsObject();
            if (anchor == "now")
            {
                // The period ends here; what is due next bills it, and begins one at the new anchor.
                subscription["billing_cycle_anchor"] = call.NowSeconds;
                BillingObjects.SetPeriodEnd(subscription, call.NowSeconds);
            }

            if (cancels is { } cancelsAtEnd)
                subscription["cancel_at_period_end"] = cancelsAtEnd;
            if (description is not null)
                subscription["description"] = description;
            if (metadata is not null)
                subscription["metadata"] = metadata;
            objects.Subscriptions.Replace(writer, subscription);
            board.Snapshot(writer, "customer.subscription.updated", subscription, call.Now, before);
            return subscription;
        });
    }

    private Operation Cancel(StripeCall call, SqliteSession session)
    {
        call.Parameters.Boolean("invoice_now");
        call.Parameters.Boolean("prorate");
        call.Parameters.Expansion();
        call.Parameters.RefuseUnknown();
        return new(writer =>
        {
            var subscription = Active(writer, call.Id);
            BillingObjects.End(subscription, call.NowSeconds);
            objects.Subscriptions.Replace(writer, subscription);
            board.Snapshot(writer, "customer.subscription.deleted", subscription, call.Now);
            return subscription;
        });
    }

    private JsonObject Active(SqliteSession session, string id)
    {
        var subscription = objects.Subscriptions.Get(session, id);
        return (string?)subscription["status"] == "active"
            ? subscription
            : throw StripeRefusal.Invalid("id", $"The subscription {id} is canceled, and can change no more.");
    }

    /// <summary>All items of a subscription are billed together.</summary>
    private static void RefuseMixed(IReadOnlyList<JsonObject> prices)
    {
        if (prices.Any(static price => price["recurring"] is null))
            throw StripeRefusal.Invalid("items", "Every price of a subscription must be recurring.");
        if (prices.Select(static price => (string?)price["currency"]).Distinct().Count() > 1)
            throw StripeRefusal.Invalid("items", "Every price of a subscription must have the same currency.");
        if (prices.Select(static price => ((string?)price["recurring"]!["interval"], (int?)price["recurring"]!["interval_count"])).Distinct().Count() > 1)
            throw StripeRefusal.Invalid("items", "Every price of a subscription must have the same interval.");
    }

    private static JsonObject ToJson(StripeCall call, string customer, long anchor, string? description, JsonObject metadata)
    {
        var id = Identifiers.Create("sub_", 24);
        return new()
        {
            ["id"] = id,
            ["object"] = Kind,
            ["automatic_tax"] = new JsonObject { ["enabled"] = false },
            ["billing_cycle_anchor"] = anchor,
            ["billing_mode"] = new JsonObject { ["type"] = "flexible" },
            ["cancel_at"] = null,
            ["cancel_at_period_end"] = false,
            ["canceled_at"] = null,
            ["collection_method"] = "charge_automatically",
            ["created"] = call.NowSeconds,
            ["currency"] = "usd",
            ["customer"] = customer,
            ["description"] = description,
            ["discounts"] = new JsonArray(),
            ["ended_at"] = null,
            ["items"] = new JsonObject { ["object"] = "list", ["data"] = new JsonArray(), ["has_more"] = false, ["url"] = $"/v1/subscription_items?subscription={id}" },
            ["latest_invoice"] = null,
            ["livemode"] = false,
            ["metadata"] = metadata,
            ["start_date"] = call.NowSeconds,
            ["status"] = "active",
            ["test_clock"] = null,
            ["trial_end"] = null,
            ["trial_start"] = null,
        };
    }
}
