using System.Globalization;
using StripeMeter.Metering.Pricing.Invoicing;

namespace StripeMeter.Metering.Pricing.Scenarios;

/// <summary>What scenarios say to people.</summary>
public static class ScenarioText
{
    /// <summary>Said of every file of the older shape.</summary>
    public const string ClassicNote =
        "Written in the older shape (priceConfig): amounts in units of the currency; tiered, graduated and volume as the older simulator meant them.";

    public static string Of(decimal number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>What to know of the figures of a scenario.</summary>
    public static IEnumerable<string> NotesOf(ScenarioResult result) => NotesOf(result.Scenario, result.Invoice);

    /// <summary>What to know of the figures of an invoice of a scenario.</summary>
    public static IEnumerable<string> NotesOf(Scenario scenario, Invoice invoice)
    {
        if (scenario.IsClassic)
            yield return ClassicNote;
        if (scenario.Terms.Rounding == Rounding.Classic)
            yield return "Rounding: classic, once per line. Stripe rounds each part of a line.";
        foreach (var note in invoice.Notes)
            yield return note;
    }
}
