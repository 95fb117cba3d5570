using StripeMeter.Metering.Quantities;

namespace StripeMeter.Metering.Pushing;

/// <summary>Cuts deltas into values Stripe takes: at most 15 digits, counted from the first that is not zero.</summary>
public static class PushValue
{
    /// <summary>See https://docs.stripe.com/changelog/dahlia/2026-04-22/billing-meter-event-values-validation.</summary>
    public const int MaximumDigits = 15;

    /// <summary>The greatest part of a delta that one event can tell; of the same sign, and never zero unless the delta is.</summary>
    public static Quantity FirstPartOf(Quantity delta)
    {
        var magnitude = delta.Units < 0 ? -delta : delta;
        var largest = Quantity.FromInteger(PowerOfTen(MaximumDigits) - 1);
        if (magnitude > largest)
            return delta.Units < 0 ? -largest : largest;
        var integerDigits = 0;
        while (magnitude >= Quantity.FromInteger(PowerOfTen(integerDigits)))
            integerDigits++;
        var droppedDecimals = integerDigits + Quantity.Scale - MaximumDigits;
        if (integerDigits == 0 || droppedDecimals <= 0)
            return delta;
        var dropped = PowerOfTen(droppedDecimals);
        return new Quantity(delta.Units / dropped * dropped);
    }

    private static long PowerOfTen(int exponent)
    {
        var power = 1L;
        for (var count = 0; count < exponent; count++)
            power *= 10;
        return power;
    }
}
