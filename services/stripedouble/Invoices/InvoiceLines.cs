using System.Globalization;
using System.Text.Json.Nodes;
using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.EventSummaries;
using StripeMeter.StripeDouble.Meters;
using StripeMeter.StripeDouble.Storage;
using StripeMeter.StripeDouble.Subscriptions;
using StripeMeter.StripeDouble.UsageRecords;

namespace StripeMeter.StripeDouble.Invoices;

/// <summary>The lines of an invoice: what was metered in the period that ended, and what is licensed for the one that begins.</summary>
internal sealed class InvoiceLines(BillingObjects objects)
{
    private readonly SummaryQuery _query = new(EmptySummaries.Zero);

    /// <summary>What was metered in a period.</summary>
    /// <param name="session">One consistent state.</param>
    /// <param name="subscription">The subscription.</param>
    /// <param name="invoice">Id of the invoice.</param>
    /// <param name="period">The period that ended.</param>
    /// <param name="now">What was received later is not seen.</param>
    public IEnumerable<JsonObject> Metered(
        SqliteSession session, JsonObject subscription, string invoice, (long Start, long End) period, DateTimeOffset now) =>
        Of(session, subscription, invoice, isMetered: true, period, (item, price) => Usage(session, (string)subscription["customer"]!, item, price, period, now));

    /// <summary>What is licensed for a period.</summary>
    /// <param name="session">One consistent state.</param>
    /// <param name="subscription">The subscription.</param>
    /// <param name="invoice">Id of the invoice.</param>
    /// <param name="period">The period that begins.</param>
    public IEnumerable<JsonObject> Licensed(SqliteSession session, JsonObject subscription, string invoice, (long Start, long End) period) =>
        Of(session, subscription, invoice, isMetered: false, period, static (item, _) => (long)item["quantity"]!);

    private IEnumerable<JsonObject> Of(
        SqliteSession session, JsonObject subscription, string invoice, bool isMetered, (long Start, long End) period,
        Func<JsonObject, JsonObject, decimal> quantityOf) =>
        from item in BillingObjects.ItemsOf(subscription)
        let price = objects.Prices.Get(session, (string)item["price"]!["id"]!)
        where SubscriptionItem.IsMetered(price) == isMetered
        let product = objects.Products.Get(session, (string)price["product"]!)
        from charge in PriceCharge.Of(price, quantityOf(item, price), $"{product["name"]}")
        select ToJson(charge, invoice, item, price, period);

    /// <summary>What the meter holds of the period, and never less than nothing.</summary>
    private decimal Usage(
        SqliteSession session, string customer, JsonObject item, JsonObject price, (long Start, long End) period, DateTimeOffset now)
    {
        if ((string?)price["recurring"]!["meter"] is not { } id)
            return UsageRecordTable.Total(session, (string)item["id"]!, period.Start, period.End);
        var meter = MeterTable.Get(session, id);
        var range = new SummaryRange(period.Start, period.End, period.End - period.Start);
        var held = _query.Run(session, meter, customer, range, now.ToUnixTimeMilliseconds(), newestFirst: true, (long.MinValue, long.MaxValue))
            .Select(aggregate => aggregate.Value(meter).ToString()).SingleOrDefault("0");
        return decimal.Max(0, decimal.Parse(held, NumberStyles.Number, CultureInfo.InvariantCulture));
    }

    private static JsonObject ToJson(ChargeLine charge, string invoice, JsonObject item, JsonObject price, (long Start, long End) period) => new()
    {
        ["id"] = Identifiers.Create("il_", 24),
        ["object"] = "line_item",
        ["amount"] = charge.Amount,
        ["currency"] = (string?)price["currency"],
        ["description"] = $"{Text(charge.Quantity)} × {charge.Description}",
        ["discount_amounts"] = new JsonArray(),
        ["discountable"] = true,
        ["discounts"] = new JsonArray(),
        ["invoice"] = invoice,
        ["livemode"] = false,
        ["metadata"] = new JsonObject(),
        ["parent"] = new JsonObject
        {
            ["type"] = "subscription_item_details",
            ["invoice_item_details"] = null,
            ["subscription_item_details"] = new JsonObject
            {
                ["invoice_item"] = null, ["proration"] = false, ["subscription"] = (string?)item["subscription"],
                ["subscription_item"] = (string?)item["id"],
            },
        },
        ["period"] = new JsonObject { ["end"] = period.End, ["start"] = period.Start },
        ["pricing"] = new JsonObject
        {
            ["type"] = "price_details",
            ["price_details"] = new JsonObject { ["price"] = (string?)price["id"], ["product"] = (string?)price["product"] },
            ["unit_amount_decimal"] = Text(charge.UnitAmount),
        },
        ["quantity"] = (long)decimal.Truncate(charge.Quantity),
        ["quantity_decimal"] = Text(charge.Quantity),
        ["subtotal"] = charge.Amount,
        ["taxes"] = new JsonArray(),
    };

    private static string Text(decimal value) => value.ToString("0.############", CultureInfo.InvariantCulture);
}
