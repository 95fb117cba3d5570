using System.Globalization;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Ledger;

/// <summary>
/// The shard logs of one tenant. Every write that returns is durable (MongoDB: majority and journaled), and every read
/// sees only what is durable.
/// </summary>
public interface ILedger
{
    /// <summary>Shards of the tenant. Fixed when the tenant is first seen, which this call does if need be.</summary>
    ValueTask<int> ShardCountAsync(CancellationToken cancellation);

    /// <summary>
    /// Appends records to the shard of their customers (<see cref="Shards.Of"/>), each under its key, which must differ
    /// from each other's. Returns one outcome per record, in their order. The positions of those appended rise with their order.
    /// </summary>
    /// <exception cref="StoreUnavailableException">Nothing is known; appending the same again is safe.</exception>
    Task<IReadOnlyList<AppendOutcome>> AppendAsync(
        int shard, IReadOnlyList<LedgerRecord> records, CancellationToken cancellation);

    /// <summary>The head of a shard; zero and an empty log id if nothing was ever appended.</summary>
    Task<ShardHead> HeadAsync(int shard, CancellationToken cancellation);

    /// <summary>
    /// Reads records above a position, in order, at most <paramref name="limit"/>. A hole (a position that was reserved
    /// and holds no record) is passed over: the caller sees that positions skip.
    /// </summary>
    Task<IReadOnlyList<Countable>> ReadAsync(int shard, long afterPosition, int limit, CancellationToken cancellation);

    /// <summary>
    /// Puts junk on a position unless a record stands there. Returns when what stands there is durable; a writer that
    /// comes later finds its position taken.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The position was never reserved.</exception>
    Task FillAsync(int shard, long position, Instant now, CancellationToken cancellation);

    /// <summary>Finds records by their keys, whatever their shard. Keys under which nothing stands are left out.</summary>
    Task<IReadOnlyDictionary<RecordKey, LedgerEntry>> FindAsync(
        IReadOnlyCollection<RecordKey> keys, CancellationToken cancellation);

    /// <summary>Reads the control records of one kind above a position of a shard, in order, at most <paramref name="limit"/>.</summary>
    Task<IReadOnlyList<Countable>> ReadControlsAsync(
        int shard, RecordKind kind, long afterPosition, int limit, CancellationToken cancellation);

    /// <summary>Lists which customers have records of which metrics; see <see cref="SeriesQuery"/>.</summary>
    Task<IReadOnlyList<EventSeries>> SeriesAsync(SeriesQuery query, CancellationToken cancellation);

    /// <summary>Reads events by (customer, metric, time); see <see cref="EventQuery"/>.</summary>
    Task<IReadOnlyList<LedgerEntry>> QueryAsync(EventQuery query, CancellationToken cancellation);

    /// <summary>Counts what <see cref="QueryAsync"/> would return without limit and cursor.</summary>
    Task<long> CountAsync(EventQuery query, CancellationToken cancellation);
}

/// <summary>What became of one record.</summary>
/// <param name="Appended">True: it stands in the log now. False: another record stands under its key.</param>
/// <param name="Shard">Shard of the record that stands under the key.</param>
/// <param name="Position">Position of the record that stands under the key.</param>
/// <param name="Fingerprint">Fingerprint of the record that stands under the key.</param>
/// <param name="Late">Whether the record that stands under the key is late.</param>
public readonly record struct AppendOutcome(bool Appended, int Shard, long Position, Fingerprint Fingerprint, bool Late);

/// <summary>How far a shard is written.</summary>
/// <param name="LogId">Names the log; renewed when it is restored from a backup. Empty if nothing was ever appended.</param>
/// <param name="Position">Last reserved position.</param>
/// <param name="Displacements">How often a writer came back to a position that a reader had filled: readers grow more patient with it.</param>
public readonly record struct ShardHead(string LogId, long Position, int Displacements)
{
    public static ShardHead Empty => new("", 0, 0);
}

/// <summary>A record with its full event, as listing and explaining need it.</summary>
public sealed record LedgerEntry(int Shard, long Position, LedgerRecord Record);

/// <summary>How events are listed.</summary>
public enum EventOrder
{
    Timestamp = 1,
    Metric = 2,
    Customer = 3,
    Source = 4,
}

/// <summary>
/// Selects events, and control records where they are asked for (never junk). Sorted by <see cref="Order"/>, then by timestamp, shard and position, all in the same
/// direction, texts by their bytes in UTF-8; the order is total, so pages neither overlap nor skip.
/// </summary>
public sealed record EventQuery
{
    /// <summary>Null: every metric.</summary>
    public string? Metric { get; init; }

    /// <summary>Null: every customer.</summary>
    public string? Customer { get; init; }

    /// <summary>Null: every source.</summary>
    public EventSource? Source { get; init; }

    /// <summary>Inclusive.</summary>
    public Instant From { get; init; } = Instant.Minimum;

    /// <summary>Inclusive.</summary>
    public Instant To { get; init; } = Instant.Maximum;

    /// <summary>Null: both late and in time.</summary>
    public bool? Late { get; init; }

    /// <summary>Null: of any session or none.</summary>
    public string? Session { get; init; }

    /// <summary>Lists the control records of a customer and metric as well; those of all metrics have the empty one.</summary>
    public bool Controls { get; init; }

    /// <summary>Only records up to this position. Sensible for one customer, whose records stand in one shard.</summary>
    public long UpTo { get; init; } = long.MaxValue;

    public EventOrder Order { get; init; } = EventOrder.Timestamp;

    public bool Ascending { get; init; }

    /// <summary>Starts behind this entry. Null: at the beginning.</summary>
    public EventCursor? After { get; init; }

    /// <summary>Entries to pass over behind the cursor.</summary>
    public int Offset { get; init; }

    public int Limit { get; init; } = 100;

    /// <summary>
    /// The same without the times before the cursor: an engine seeks the beginning of a range, and would read past everything up
    /// to the cursor, so that each page would cost more than the one before.
    /// </summary>
    public EventQuery FromCursor() => After is not { } after || Order != EventOrder.Timestamp
        ? this
        : Ascending ? this with { From = Instant.Max(From, after.Timestamp) } : this with { To = Instant.Min(To, after.Timestamp) };
}

/// <summary>A place in a listing: the sort fields of the entry that stands there.</summary>
/// <param name="Value">The metric, customer or source (as its number's text) by which is sorted; empty when sorted by timestamp.</param>
/// <param name="Timestamp">Timestamp of the entry.</param>
/// <param name="Shard">Shard of the entry.</param>
/// <param name="Position">Position of the entry.</param>
public readonly record struct EventCursor(string Value, Instant Timestamp, int Shard, long Position)
{
    public static EventCursor Of(LedgerEntry entry, EventOrder order)
    {
        ArgumentNullException.ThrowIfNull(entry);
        var record = entry.Record;
        var value = order switch
        {
            EventOrder.Metric => record.Metric,
            EventOrder.Customer => record.Customer,
            EventOrder.Source => ((int)(record.Event?.Source ?? 0)).ToString(CultureInfo.InvariantCulture),
            _ => "",
        };
        return new EventCursor(value, record.Timestamp, entry.Shard, entry.Position);
    }

    /// <summary>Whether it can be a place in a listing of this order. One that a client hands back may be anything.</summary>
    public bool IsPlaceIn(EventOrder order) =>
        Timestamp.IsCovered && Shard >= 0 && Position >= 0
        && (order != EventOrder.Source || int.TryParse(Value, NumberStyles.None, CultureInfo.InvariantCulture, out _));
}

/// <summary>The records of one customer and metric.</summary>
public readonly record struct EventSeries(string Customer, string Metric);

/// <summary>Selects series that have records, in the order of (customer, metric), texts by their bytes in UTF-8.</summary>
public sealed record SeriesQuery
{
    /// <summary>Null: every customer.</summary>
    public string? Customer { get; init; }

    /// <summary>Null: whatever their events came by. Otherwise only series with events of this session.</summary>
    public string? Session { get; init; }

    /// <summary>Null: every shard.</summary>
    public int? Shard { get; init; }

    /// <summary>Starts behind this customer and metric. Null: at the beginning.</summary>
    public (string Customer, string Metric)? After { get; init; }

    public int Limit { get; init; } = 100;
}
