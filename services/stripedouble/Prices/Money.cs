using System.Globalization;
using StripeMeter.StripeDouble.Http;

namespace StripeMeter.StripeDouble.Prices;

/// <summary>
/// An amount in minor units, given as an integer (<c>unit_amount</c>) or as decimal text of at most 12 places
/// (<c>unit_amount_decimal</c>), and shown as both.
/// </summary>
internal readonly record struct Money(decimal MinorUnits)
{
    private const int MaximumPlaces = 12;

    /// <summary>Largest amount of a price, in minor units; Stripe takes twelve digits at most for any amount.</summary>
    private const long Maximum = 999_999_999_999;

    /// <summary>The amount as an integer; null when it is none.</summary>
    public long? Whole => decimal.IsInteger(MinorUnits) ? (long)MinorUnits : null;

    /// <summary>The amount as exact text.</summary>
    public string Text => MinorUnits.ToString("0.############", CultureInfo.InvariantCulture);

    /// <summary>The amount that stands under <paramref name="key"/> or <c>key_decimal</c>; null when neither does.</summary>
    public static Money? Read(Parameters parameters, string key)
    {
        var name = parameters.Name($"{key}_decimal");
        var whole = parameters.Integer(key);
        var text = parameters.Text($"{key}_decimal");
        if (whole is not null && text is not null)
            throw StripeRefusal.Invalid(parameters.Name(key), $"Only one of {parameters.Name(key)} and {name} can be given.");
        if (text is null)
            return whole is { } units ? Checked(parameters.Name(key), units) : null;
        return decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount) && Places(text) <= MaximumPlaces
            ? Checked(name, amount)
            : throw StripeRefusal.Invalid(name, $"Invalid decimal: {name} must be a decimal number with at most {MaximumPlaces} places.");
    }

    private static Money Checked(string name, decimal amount) => amount is >= 0 and <= Maximum
        ? new(amount)
        : throw StripeRefusal.Invalid(name, $"{name} must be 0 to {Maximum}.", "parameter_invalid_integer");

    private static int Places(string text) => text.IndexOf('.', StringComparison.Ordinal) is >= 0 and var point ? text.Length - point - 1 : 0;
}
