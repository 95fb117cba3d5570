using System.Text.Json.Nodes;
using StripeMeter.Metering.Pricing.Invoicing;
using StripeMeter.Metering.Pricing.Reading;

namespace StripeMeter.Metering.Pricing.Scenarios;

/// <summary>Results as JSON. Amounts are in minor units, as Stripe has them, and quantities are text.</summary>
public static class ScenarioJson
{
    public static JsonObject Of(ScenarioResult result) => new()
    {
        ["name"] = result.Scenario.Name,
        ["passed"] = result.Passed,
        ["rounding"] = result.Scenario.Terms.Rounding.ToString().ToLowerInvariant(),
        ["invoice"] = Of(result.Invoice),
        ["diffs"] = Of(result.Differences),
        ["notes"] = new JsonArray([.. ScenarioText.NotesOf(result).Select(note => JsonValue.Create(note))]),
    };

    public static JsonArray Of(IReadOnlyList<Difference> differences) => new([.. differences.Select(difference => new JsonObject
    {
        ["field"] = difference.Field,
        ["expected"] = difference.Expected,
        ["actual"] = difference.Actual,
        ["difference"] = difference.Amount,
    })]);

    public static JsonObject Of(Invoice invoice) => new()
    {
        ["customerId"] = invoice.Customer,
        ["periodStart"] = invoice.Period.Start.ToString(),
        ["periodEnd"] = invoice.Period.End.ToString(),
        ["currency"] = invoice.Currency.Code,
        ["lineItems"] = new JsonArray([.. invoice.Lines.Select(line => Of(line, invoice.Currency))]),
        ["subtotal"] = invoice.Subtotal,
        ["steps"] = new JsonArray([.. invoice.Steps.Select(step => new JsonObject
        {
            ["kind"] = step.Kind.ToString().ToLowerInvariant(),
            ["name"] = step.Name,
            ["amount"] = step.Amount,
            ["explanation"] = Explanation.Of(step, invoice.Currency),
        })]),
        ["discounts"] = invoice.Discounts,
        ["credits"] = invoice.Credits,
        ["tax"] = invoice.Tax,
        ["total"] = invoice.Total,
    };

    private static JsonObject Of(InvoiceLine line, Currency currency) => new()
    {
        ["metric"] = line.Metric,
        ["quantity"] = line.Item.Quantity.ToString(),
        ["subtotal"] = line.Amount,
        ["parts"] = new JsonArray([.. line.Priced.Parts.Select(part => new JsonObject
        {
            ["kind"] = Explanation.Word(part.Kind),
            ["tier"] = part.Tier,
            ["quantity"] = part.Quantity.ToString(),
            ["unitAmount"] = ExactDecimal.Trim(part.UnitAmount),
            ["amount"] = part.Amount,
            ["explanation"] = Explanation.Of(part, currency, line.Share),
        })]),
    };
}
