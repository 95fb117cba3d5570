using System.Text.Json;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pricing.Invoicing;
using StripeMeter.Metering.Pricing.Reading;
using StripeMeter.Metering.Quantities;

namespace StripeMeter.Metering.Pricing.Scenarios;

/// <summary>
/// Reads scenarios. Prices are written as Stripe writes them (<c>price</c>), amounts in minor units. The older shape is
/// known by its <c>priceConfig</c>, and read as <see cref="ClassicItems"/> says.
/// </summary>
public static class ScenarioReader
{
    private const string PriceConfig = "priceConfig";
    private const int MaximumNameLength = 255;

    /// <exception cref="PricingException">Every reason names its field.</exception>
    public static Scenario Read(JsonElement document)
    {
        var fields = new FieldReader(document);
        var metadata = fields.Member("metadata", required: true);
        var inputs = fields.Member("inputs", required: true);
        if (metadata is null || inputs is null)
            throw new PricingException([.. fields.Problems]);
        var scenario = ReadParts(fields, metadata, inputs);
        fields.Check();
        return scenario;
    }

    /// <summary>Reads a scenario that has its name beside its inputs, as services keep it.</summary>
    /// <exception cref="PricingException">Every reason names its field.</exception>
    public static Scenario ReadFlat(JsonElement document)
    {
        var fields = new FieldReader(document);
        var inputs = fields.Member("inputs", required: true);
        if (inputs is null)
            throw new PricingException([.. fields.Problems]);
        var scenario = ReadParts(fields, fields, inputs);
        fields.Check();
        return scenario;
    }

    /// <summary>Reads what an invoice is computed of, and nothing else: <c>inputs</c> and <c>rounding</c>.</summary>
    /// <exception cref="PricingException">Every reason names its field.</exception>
    public static Scenario ReadUnnamed(JsonElement document)
    {
        var fields = new FieldReader(document);
        var inputs = fields.Member("inputs", required: true);
        if (inputs is null)
            throw new PricingException([.. fields.Problems]);
        var scenario = ReadInputs(inputs, IsClassic(inputs), fields.Text("rounding"), fields);
        fields.RefuseOthers();
        fields.Check();
        return scenario;
    }

    private static Scenario ReadParts(FieldReader fields, FieldReader metadata, FieldReader inputs)
    {
        var classic = IsClassic(inputs);
        var scenario = ReadInputs(inputs, classic, fields.Text("rounding"), fields) with
        {
            Name = ReadName(metadata),
            Description = metadata.Text("description") ?? "",
            Version = metadata.Text("version") ?? "1",
            Tags = metadata.Texts("tags"),
            Expected = fields.Member("expected") is { } expected ? ReadExpected(expected, classic) : null,
            Tolerance = ReadTolerance(fields.Member("tolerances"), classic),
        };
        fields.Ignore("model");
        if (!classic)
        {
            fields.RefuseOthers();
            if (metadata != fields)
                metadata.RefuseOthers();
        }

        return scenario;
    }

    private static string ReadName(FieldReader metadata)
    {
        var name = metadata.Text("name", required: true);
        if (name is { Length: 0 or > MaximumNameLength })
            metadata.Refuse("name", $"must have 1 to {MaximumNameLength} characters");
        return name ?? "";
    }

    private static Scenario ReadInputs(FieldReader inputs, bool classic, string? rounding, FieldReader file)
    {
        if (rounding is not (null or "stripe" or "classic"))
            file.Refuse("rounding", "must be stripe or classic");
        var start = inputs.Moment("periodStart", required: true) ?? default;
        var end = inputs.Moment("periodEnd", wholeDay: true, required: true) ?? start + TimeSpan.FromDays(1);
        if (end <= start)
            inputs.Refuse("periodEnd", "must be after periodStart");
        var customer = inputs.Text("customerId", required: true) ?? "";
        var items = inputs.Items("usageItems", required: true, InvoiceSimulator.MaximumItems)
            .Select(item => classic ? ClassicItems.Read(item) : ReadItem(item)).OfType<UsageItem>().ToArray();
        var terms = classic ? ClassicItems.ReadTerms(inputs, items) : ReadTerms(inputs);
        if (!classic)
            inputs.RefuseOthers();
        return new Scenario
        {
            Name = "",
            IsClassic = classic,
            Customer = customer,
            Period = new BillingPeriod(start, end),
            Items = items,
            Terms = terms with { Rounding = (rounding ?? (classic ? "classic" : "stripe")) == "classic" ? Rounding.Classic : Rounding.Stripe },
            Tolerance = default,
        };
    }

    private static bool IsClassic(FieldReader inputs) =>
        inputs.Items("usageItems", maximum: InvoiceSimulator.MaximumItems).Any(item => item.Has(PriceConfig));

    private static UsageItem? ReadItem(FieldReader item)
    {
        var metric = item.Text("metric", required: true);
        var quantity = item.Quantity("quantity", required: true);
        if (quantity < Quantity.Zero)
            item.Refuse("quantity", "must not be negative");
        var price = item.Member("price", required: true) is { } fields ? PriceReader.Read(fields) : null;
        var (from, to, prorated) = (item.Moment("from"), item.Moment("to"), item.Flag("prorated"));
        item.RefuseOthers();
        return metric is null || quantity is null || price is null
            ? null : new UsageItem(metric, quantity.Value, price) { From = from, To = to, Prorated = prorated };
    }

    private static InvoiceTerms ReadTerms(FieldReader inputs) => new()
    {
        Discounts = [.. inputs.Items("discounts").Select(ReadDiscount)],
        Commitments = [.. inputs.Items("commitments").Select(ReadCommitment)],
        Credits = [.. inputs.Items("credits").Select(ReadCredit)],
        TaxRate = inputs.Number("taxRate") ?? 0,
    };

    private static Discount ReadDiscount(FieldReader fields)
    {
        var discount = new Discount(fields.Text("name") ?? "discount", fields.Number("percent_off"), fields.Whole("amount_off"));
        fields.RefuseOthers();
        return discount;
    }

    private static Commitment ReadCommitment(FieldReader fields)
    {
        var commitment = new Commitment(fields.Text("name") ?? "commitment", fields.Whole("amount", required: true) ?? 0)
        {
            TrueUp = fields.Flag("true_up"),
            Applied = fields.Whole("applied") ?? 0,
            Start = fields.Moment("start"),
            End = fields.Moment("end", wholeDay: true),
        };
        fields.RefuseOthers();
        return commitment;
    }

    private static Credit ReadCredit(FieldReader fields)
    {
        var credit = new Credit(fields.Text("name") ?? "credit", fields.Whole("amount", required: true) ?? 0)
        {
            Priority = (int)Math.Clamp(fields.Whole("priority") ?? 50, int.MinValue, int.MaxValue),
            EffectiveAt = fields.Moment("effective_at"),
            ExpiresAt = fields.Moment("expires_at", wholeDay: true),
        };
        fields.RefuseOthers();
        return credit;
    }

    private static Expectation ReadExpected(FieldReader fields, bool classic)
    {
        var expected = new Expectation(
            fields.Number("total", required: true) ?? 0, fields.Number("subtotal"), fields.Number("discounts"), fields.Number("credits"),
            fields.Number("tax"), fields.Text("currency"), [.. fields.Items("lineItems").Select(line => ReadExpectedLine(line, classic))]);
        if (!classic)
            fields.RefuseOthers();
        return expected;
    }

    private static ExpectedLine ReadExpectedLine(FieldReader fields, bool classic)
    {
        var line = new ExpectedLine(
            fields.Text("metric", required: true) ?? "", fields.Quantity("quantity"), fields.Number("unitPrice"), fields.Number("subtotal"));
        if (!classic)
            fields.RefuseOthers();
        return line;
    }

    private static Tolerance ReadTolerance(FieldReader? fields, bool classic)
    {
        var usual = classic ? Tolerance.Classic : Tolerance.Exact;
        if (fields is null)
            return usual;
        var tolerance = new Tolerance(fields.Number("absolute") ?? usual.Absolute, fields.Number("relative") ?? usual.Relative);
        if (tolerance.Absolute < 0)
            fields.Refuse("absolute", "must not be negative");
        if (tolerance.Relative is < 0 or > 1)
            fields.Refuse("relative", "must be 0 to 1");
        return tolerance;
    }
}
