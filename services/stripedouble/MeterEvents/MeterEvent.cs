namespace StripeMeter.StripeDouble.MeterEvents;

/// <summary>A meter event that was answered 200.</summary>
/// <param name="Number">Its place in the order of receipt.</param>
/// <param name="EventName">Event name of its meter.</param>
/// <param name="Customer">The customer its payload names.</param>
/// <param name="Identifier">The identifier, given or generated.</param>
/// <param name="Timestamp">The instant it is counted at, in whole seconds.</param>
/// <param name="Received">When it was taken.</param>
/// <param name="Value">Exact decimal text; "1" on a count meter.</param>
/// <param name="Excluded">Why it does not count: <c>cancelled</c>, or the code with which it was rejected later; null when it counts.</param>
public sealed record MeterEvent(
    long Number, string EventName, string Customer, string Identifier, DateTimeOffset Timestamp, DateTimeOffset Received,
    string Value, string? Excluded);
