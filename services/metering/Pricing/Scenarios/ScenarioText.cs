using System.Globalization;

namespace StripeMeter.Metering.Pricing.Scenarios;

/// <summary>What scenarios say to people.</summary>
public static class ScenarioText
{
    /// <summary>Said of every file of the older shape.</summary>
    public const string ClassicNote =
        "Written in the older shape (priceConfig): amounts in units of the currency; tiered, graduated and volume as the older simulator meant them.";

    public static string Of(decimal number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>What to know of the figures of a scenario.</summary>
    public static IEnumerable<string> NotesOf(ScenarioResult result)
    {
        if (result.Scenario.IsClassic)
            yield return ClassicNote;
        if (result.Scenario.Terms.Rounding == Rounding.Classic)
            yield return "Rounding: classic, once per line. Stripe rounds each part of a line.";
        foreach (var note in result.Invoice.Notes)
            yield return note;
    }
}
