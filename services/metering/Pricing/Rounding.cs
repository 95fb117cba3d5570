namespace StripeMeter.Metering.Pricing;

/// <summary>Where fractions of a minor unit are rounded. Both round half away from zero.</summary>
public enum Rounding
{
    /// <summary>
    /// As on Stripe's invoices: every part of a line (each tier's units, each flat amount) alone, and then summed. See
    /// https://docs.stripe.com/billing/subscriptions/decimal-amounts.
    /// </summary>
    Stripe,

    /// <summary>The parts of a line are summed exactly and the line is rounded once.</summary>
    Classic,
}
