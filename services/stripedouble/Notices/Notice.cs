namespace StripeMeter.StripeDouble.Notices;

/// <summary>An event of the account, as it is delivered and can be fetched.</summary>
/// <param name="Number">Its place in the order in which they came about; 0 before it is stored.</param>
/// <param name="Id"><c>evt_…</c></param>
/// <param name="Type">Such as <c>invoice.created</c>.</param>
/// <param name="IsThin">A thin event is delivered without its data, which is fetched.</param>
/// <param name="Body">The whole event as JSON.</param>
/// <param name="Attempts">How often it was sent.</param>
internal sealed record Notice(long Number, string Id, string Type, bool IsThin, string Body, int Attempts);
