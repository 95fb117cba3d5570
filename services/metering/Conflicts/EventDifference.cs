using StripeMeter.Metering.Events;

namespace StripeMeter.Metering.Conflicts;

/// <summary>A field in which two events under one key differ.</summary>
/// <param name="Field">Name of the field, as in the protocol.</param>
/// <param name="Sent">Its value in the event that was refused.</param>
/// <param name="Standing">Its value in the event that stands.</param>
public sealed record EventDifference(string Field, string Sent, string Standing)
{
    /// <summary>The fields in which two events differ, in the order of the protocol. The source is not part of an event's identity.</summary>
    public static IReadOnlyList<EventDifference> Between(UsageEvent sent, UsageEvent standing)
    {
        ArgumentNullException.ThrowIfNull(sent);
        ArgumentNullException.ThrowIfNull(standing);
        EventDifference[] fields =
        [
            new("metric", sent.Metric, standing.Metric),
            new("customer_ref", sent.Customer, standing.Customer),
            new("resource_id", sent.Resource, standing.Resource),
            new("quantity", sent.Quantity.ToString(), standing.Quantity.ToString()),
            new("timestamp", sent.Timestamp.ToString(), standing.Timestamp.ToString()),
            new("meta", sent.Meta, standing.Meta),
        ];
        return Array.FindAll(fields, field => field.Sent != field.Standing);
    }
}

/// <summary>An event that was refused because another stands under its key.</summary>
/// <param name="Id">Names the conflict within its tenant; ids rise with time.</param>
/// <param name="Key">The key.</param>
/// <param name="Metric">Metric of the event that was refused.</param>
/// <param name="Customer">Customer of the event that was refused.</param>
/// <param name="Differences">What differs; empty if the standing event could not be read.</param>
/// <param name="Shard">Shard of the event that stands; -1 if it could not be read.</param>
/// <param name="Position">Position of the event that stands.</param>
/// <param name="SeenTicks">When it was refused, in units of 100 ns since 1970-01-01T00:00:00Z.</param>
public sealed record EventConflict(
    string Id, string Key, string Metric, string Customer, IReadOnlyList<EventDifference> Differences, int Shard, long Position,
    long SeenTicks);
