namespace StripeMeter.StripeDouble.Meters;

/// <summary>Names that meters and their events share.</summary>
internal static class MeterNames
{
    /// <summary>Characters of an event name, a payload key, a payload value or an identifier.</summary>
    public const int MaximumCharacters = 100;

    public const string DefaultCustomerKey = "stripe_customer_id";

    public const string DefaultValueKey = "value";
}
