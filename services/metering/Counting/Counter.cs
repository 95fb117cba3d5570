using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Counting;

/// <summary>Names a counter within its tenant.</summary>
public readonly record struct CounterKey(string Metric, string Customer, Instant PeriodStart);

/// <summary>
/// Which records a counter holds: the last re-cut that concerned it when it was counted anew, and the last record looked at.
/// A counter is a function of its log and its version. A copy may take the place of another only if it
/// <see cref="Covers"/> it: one that was counted anew up to an early position lacks what the other has behind.
/// </summary>
public readonly record struct CounterVersion(long RecutPosition, long Position) : IComparable<CounterVersion>
{
    public int CompareTo(CounterVersion other) =>
        RecutPosition != other.RecutPosition ? RecutPosition.CompareTo(other.RecutPosition) : Position.CompareTo(other.Position);

    /// <summary>Whether all that a counter of the other version holds is held by one of this version, as the log now has it.</summary>
    public bool Covers(CounterVersion other) => RecutPosition >= other.RecutPosition && Position >= other.Position;

    public static bool operator <(CounterVersion left, CounterVersion right) => left.CompareTo(right) < 0;

    public static bool operator >(CounterVersion left, CounterVersion right) => left.CompareTo(right) > 0;

    public static bool operator <=(CounterVersion left, CounterVersion right) => left.CompareTo(right) <= 0;

    public static bool operator >=(CounterVersion left, CounterVersion right) => left.CompareTo(right) >= 0;
}

/// <summary>The aggregates of a counter.</summary>
/// <param name="Sum">Of all quantities.</param>
/// <param name="Count">Of events.</param>
/// <param name="Min">Smallest quantity; zero while nothing was counted.</param>
/// <param name="Max">Greatest quantity; zero while nothing was counted.</param>
/// <param name="Last">Quantity of the newest event, ties broken by the greater key; zero while nothing was counted.</param>
/// <param name="LastTimestamp">Timestamp of the event that gave <paramref name="Last"/>, which is the watermark too: the newest timestamp folded.</param>
/// <param name="LastKey">Key of the event that gave <paramref name="Last"/>.</param>
public readonly record struct Aggregates(
    Quantity Sum, long Count, Quantity Min, Quantity Max, Quantity Last, Instant LastTimestamp, string LastKey)
{
    public static Aggregates Empty { get; } = new(default, 0, default, default, default, default, "");

    /// <summary>Whether nothing is in it.</summary>
    public bool IsEmpty => Count == 0 && Sum == Quantity.Zero;

    /// <summary>Folds a record in that counts: an event, or the approval of a late one or of an adjustment.</summary>
    public Aggregates With(in Countable record) => record.Kind switch
    {
        RecordKind.AdjustmentApproved => this with { Sum = Sum + record.Quantity },
        RecordKind.LateEventApproved => With(record.Quantity, record.Timestamp, record.Control!.Subject),
        _ => With(record.Quantity, record.Timestamp, record.Key),
    };

    /// <summary>Folds an event in. The result does not depend on the order of events.</summary>
    public Aggregates With(Quantity quantity, Instant timestamp, string key)
    {
        var newer = Count == 0 || timestamp > LastTimestamp
            || (timestamp == LastTimestamp && string.CompareOrdinal(key, LastKey) > 0);
        return new Aggregates(
            Sum + quantity,
            Count + 1,
            Count == 0 ? quantity : Quantity.Min(Min, quantity),
            Count == 0 ? quantity : Quantity.Max(Max, quantity),
            newer ? quantity : Last,
            newer ? timestamp : LastTimestamp,
            newer ? key : LastKey);
    }
}

/// <summary>A counter: what it counts, what it has counted, and which records that is.</summary>
public sealed record Counter(CounterKey Key, BillingPeriod Period, Aggregates Aggregates, CounterVersion Version)
{
    public static Counter Empty(CounterKey key, BillingPeriod period) => new(key, period, Aggregates.Empty, default);

    /// <summary>Folds a record in, unless the counter holds it already.</summary>
    public Counter With(in Countable record) => record.Position <= Version.Position
        ? this
        : this with
        {
            Aggregates = Aggregates.With(record),
            Version = Version with { Position = record.Position },
        };
}
