using System.Collections.Frozen;

namespace StripeMeter.Metering.Pricing;

/// <summary>
/// A currency as Stripe counts it: amounts are integers of a minor unit.
/// See https://docs.stripe.com/currencies for the lists.
/// </summary>
public readonly record struct Currency
{
    private static readonly FrozenSet<string> ZeroDecimal = new[]
    {
        "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf",
    }.ToFrozenSet();

    private static readonly FrozenSet<string> ThreeDecimal = new[] { "bhd", "jod", "kwd", "omr", "tnd" }.ToFrozenSet();

    /// <summary>They have no smaller unit any more, but Stripe still counts them in hundredths, which must be whole.</summary>
    private static readonly FrozenSet<string> WholeHundreds = new[] { "isk", "ugx" }.ToFrozenSet();

    /// <param name="code">ISO 4217: three letters, in any case.</param>
    /// <exception cref="ArgumentException">The code is no three letters.</exception>
    public Currency(string code)
    {
        ArgumentNullException.ThrowIfNull(code);
        if (code.Length != 3 || !code.All(char.IsAsciiLetter))
            throw new ArgumentException($"'{code}' is not a currency.", nameof(code));
        Code = code.ToLowerInvariant();
    }

    /// <summary>ISO 4217, lower case, as Stripe writes it.</summary>
    public string Code { get; }

    /// <summary>Decimal places of an amount in units of the currency.</summary>
    public int MinorDigits => ZeroDecimal.Contains(Code) ? 0 : ThreeDecimal.Contains(Code) ? 3 : 2;

    /// <summary>
    /// What a charge in minor units must be a multiple of. Whether Stripe rounds every invoice line to it, or only the
    /// whole invoice, is not documented.
    /// </summary>
    public int ChargeStep => ThreeDecimal.Contains(Code) ? 10 : WholeHundreds.Contains(Code) ? 100 : 1;

    public override string ToString() => Code;
}
