using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Counting;

/// <summary>What a re-cut made due to be counted anew. Stored before the projected position passes the re-cut.</summary>
/// <param name="LogId">The log of the re-cut.</param>
/// <param name="Recut">Position of the re-cut.</param>
/// <param name="Scope">Which counters.</param>
public sealed record RecountItem(string LogId, long Recut, RecountScope Scope);

/// <summary>Which counters of a shard are to be counted anew.</summary>
/// <param name="Customer">Empty: of every customer that a session has events of.</param>
/// <param name="Metric">Empty: of every metric of the customer or session.</param>
/// <param name="From">Of periods that end behind this instant.</param>
/// <param name="To">Of periods that start before this instant.</param>
/// <param name="Session">Only where this session has events; empty where it does not matter.</param>
public sealed record RecountScope(string Customer, string Metric, Instant From, Instant To, string Session)
{
    public static RecountScope OfCounter(CounterKey key, Instant end) => new(key.Customer, key.Metric, key.PeriodStart, end, "");

    /// <summary>All counters of a customer from an instant on.</summary>
    public static RecountScope OfCustomer(string customer, Instant from) => new(customer, "", from, Instant.Maximum, "");

    /// <summary>All counters a session has events in.</summary>
    public static RecountScope OfSession(string session) => new("", "", Instant.Minimum, Instant.Maximum, session);
}
