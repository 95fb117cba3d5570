namespace StripeMeter.Examples.LlmTokens;

/// <summary>What the command line says.</summary>
internal sealed record Settings(
    string File, DateTime End, Uri Gateway, Uri? StripeBase, string StripeKey, string Tenant, int BatchEvents, int Senders,
    int? ShuffleSeed, TimeSpan Patience);
