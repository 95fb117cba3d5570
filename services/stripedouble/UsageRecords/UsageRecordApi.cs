using System.Net;
using System.Text.Json.Nodes;
using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Http;
using StripeMeter.StripeDouble.Storage;
using StripeMeter.StripeDouble.Subscriptions;

namespace StripeMeter.StripeDouble.UsageRecords;

/// <summary>
/// Usage records, which versions before 2025-03-31.basil serve for items whose price has no meter. The item decides first,
/// then the version.
/// </summary>
internal sealed class UsageRecordApi(BillingObjects objects)
{
    /// <summary>The first version without them. Versions begin with their day, so their order is that of their text.</summary>
    public const string RemovedIn = "2025-03-31";

    private const string Items = "/v1/subscription_items";

    public IEnumerable<StripeRoute> Routes =>
        [new("POST", $"{Items}/{{id}}/usage_records", Create, TakesUsage: true), new("GET", $"{Items}/{{id}}/usage_record_summaries", Summarize)];

    /// <summary>Whether a call names a version that still has them.</summary>
    public static bool IsServed(StripeCall call) =>
        call.ApiVersion.Length > 0 && string.CompareOrdinal(call.ApiVersion, RemovedIn) < 0;

    private Operation Create(StripeCall call, SqliteSession session)
    {
        var quantity = call.Parameters.RequiredInteger("quantity");
        var timestamp = call.Parameters.Integer("timestamp") ?? call.NowSeconds;
        var overwrites = call.Parameters.Choice("action", "increment", "set") == "set";
        call.Parameters.Expansion();
        call.Parameters.RefuseUnknown();
        if (quantity < 0)
            throw StripeRefusal.Invalid("quantity", "quantity must not be negative.", "parameter_invalid_integer");
        return new(
            writer =>
            {
                var item = LegacyItem(writer, call, "create a usage record", "/v1/billing/meter_events");
                var (start, end) = ((long)item["current_period_start"]!, (long)item["current_period_end"]!);
                if (timestamp < start || timestamp >= end)
                    throw StripeRefusal.Invalid("timestamp", "The timestamp must lie within the current period of the subscription.");
                UsageRecordTable.Add(writer, call.Id, timestamp, quantity, overwrites);
                return new JsonObject
                {
                    ["id"] = Identifiers.Create("mbur_", 24),
                    ["object"] = "usage_record",
                    ["livemode"] = false,
                    ["quantity"] = quantity,
                    ["subscription_item"] = call.Id,
                    ["timestamp"] = timestamp,
                };
            },
            MeterEvents: 0);
    }

    private Operation Summarize(StripeCall call, SqliteSession session)
    {
        var page = Page.Read(call.Parameters);
        call.Parameters.Expansion();
        call.Parameters.RefuseUnknown();
        return new(reader =>
        {
            var item = LegacyItem(reader, call, "list usage record summaries", "/v1/billing/meters/:id/event_summaries");
            var (start, end) = ((long)item["current_period_start"]!, (long)item["current_period_end"]!);
            // Of the period that runs only.
            var summary = new JsonObject
            {
                ["id"] = $"sis_{call.Id[3..]}{start}",
                ["object"] = "usage_record_summary",
                ["invoice"] = null,
                ["livemode"] = false,
                ["period"] = new JsonObject { ["end"] = end, ["start"] = start },
                ["subscription_item"] = call.Id,
                ["total_usage"] = UsageRecordTable.Total(reader, call.Id, start, end),
            };
            return page.List(call.Path, new PagedRows(static _ => 0, position => position == 0 ? [] : [summary], static _ => []));
        });
    }

    private JsonObject LegacyItem(SqliteSession session, StripeCall call, string what, string instead)
    {
        var item = objects.FindItem(session, call.Id)?.Item ?? throw StripeRefusal.NoSuch("subscription_item", call.Id);
        if (item["price"]!["recurring"]!["meter"] is not null || !SubscriptionItem.IsMetered(item["price"]!.AsObject()))
        {
            throw StripeRefusal.Invalid(
                "subscription_item", $"Cannot {what} for {call.Id} because it is not on the legacy metered billing system. Call {instead} instead.");
        }

        return IsServed(call) ? item : throw new StripeRefusal(
            HttpStatusCode.NotFound, $"Unrecognized request URL ({call.Method}: {call.Path}): it was removed in version {RemovedIn}.basil.");
    }
}
