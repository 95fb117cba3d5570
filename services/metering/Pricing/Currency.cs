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

    private static readonly FrozenSet<string> Known = (
        "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf clp cny cop "
        + "crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel ghs gip gmd gnf gtq gyd hkd hnl htg huf idr ils inr isk jmd jod "
        + "jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio "
        + "nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs tnd "
        + "top try ttd twd tzs uah ugx usd uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw").Split(' ').ToFrozenSet();

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

    /// <summary>Whether Stripe has charges in the currency, in any case.</summary>
    public static bool IsKnown(string code) => Known.Contains(code.ToLowerInvariant());

    public override string ToString() => Code;
}
