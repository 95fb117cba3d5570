using System.Globalization;
using System.Text.Json.Nodes;

namespace StripeMeter.StripeDouble.Invoices;

/// <summary>One line of what a quantity costs: rounded to the minor unit, half up, before lines are added.</summary>
internal sealed record ChargeLine(decimal Quantity, decimal UnitAmount, string Description)
{
    public long Amount => (long)decimal.Round(Quantity * UnitAmount, 0, MidpointRounding.AwayFromZero);
}

/// <summary>What a quantity costs by a price, line by line as Stripe's invoices have it.</summary>
internal static class PriceCharge
{
    public static IEnumerable<ChargeLine> Of(JsonObject price, decimal quantity, string what)
    {
        if (price["tiers"] is not JsonArray tiers)
            return [new ChargeLine(Transformed(price, quantity), Decimal(price["unit_amount_decimal"]), what)];
        var rows = tiers.Select(static tier => tier!.AsObject()).ToList();
        return (string?)price["tiers_mode"] == "volume" ? Volume(rows, quantity, what) : Graduated(rows, quantity, what);
    }

    private static decimal Transformed(JsonObject price, decimal quantity)
    {
        if (price["transform_quantity"] is not JsonObject transform)
            return quantity;
        var groups = quantity / (long)transform["divide_by"]!;
        return (string?)transform["round"] == "up" ? decimal.Ceiling(groups) : decimal.Floor(groups);
    }

    private static IEnumerable<ChargeLine> Volume(List<JsonObject> tiers, decimal quantity, string what)
    {
        var number = tiers.FindIndex(tier => (long?)tier["up_to"] is not { } upTo || quantity <= upTo);
        return Lines(tiers[number], number, quantity, what);
    }

    private static IEnumerable<ChargeLine> Graduated(List<JsonObject> tiers, decimal quantity, string what)
    {
        var below = 0m;
        for (var number = 0; number < tiers.Count && (number == 0 || quantity > below); number++)
        {
            var upTo = (long?)tiers[number]["up_to"] ?? decimal.MaxValue;
            foreach (var line in Lines(tiers[number], number, decimal.Min(quantity, upTo) - below, what))
                yield return line;
            below = upTo;
        }
    }

    private static IEnumerable<ChargeLine> Lines(JsonObject tier, int number, decimal quantity, string what)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{what} (Tier {number + 1})");
        yield return new ChargeLine(quantity, Decimal(tier["unit_amount_decimal"]), name);
        if (tier["flat_amount_decimal"] is { } flat)
            yield return new ChargeLine(1, Decimal(flat), $"{name}, flat fee");
    }

    private static decimal Decimal(JsonNode? text) => text is null ? 0 : decimal.Parse((string)text!, NumberStyles.Number, CultureInfo.InvariantCulture);
}
