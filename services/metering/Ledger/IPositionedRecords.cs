using StripeMeter.Metering.Events;

namespace StripeMeter.Metering.Ledger;

/// <summary>
/// The single-document operations from which <see cref="AppendProtocol"/> builds an append on a store that has no
/// transactions over documents. One tenant's.
/// </summary>
public interface IPositionedRecords
{
    /// <summary>Finds records by their keys, whatever their shard. Reads only what a majority holds. Keys that are not there are left out.</summary>
    Task<IReadOnlyDictionary<RecordKey, KnownRecord>> FindAsync(
        IReadOnlyCollection<RecordKey> keys, CancellationToken cancellation);

    /// <summary>Raises the head of a shard by <paramref name="count"/> and returns the first position so reserved.</summary>
    Task<long> ReserveAsync(int shard, int count, CancellationToken cancellation);

    /// <summary>
    /// Inserts records on reserved positions, each on its own, unordered. Returns one outcome per record. A record
    /// whose outcome could not be learnt is <see cref="InsertOutcome.Unknown"/>.
    /// </summary>
    Task<IReadOnlyList<InsertOutcome>> InsertAsync(
        int shard, IReadOnlyList<PositionedRecord> records, CancellationToken cancellation);

    /// <summary>Counts that a writer came back to a position that a reader had filled.</summary>
    Task NoteDisplacementAsync(int shard, CancellationToken cancellation);
}

/// <summary>A key and its space.</summary>
public readonly record struct RecordKey(KeySpace Space, string Key);

/// <summary>What is known of a record found by its key.</summary>
public readonly record struct KnownRecord(int Shard, long Position, Fingerprint Fingerprint, bool Late);

/// <summary>What became of an insert.</summary>
public enum InsertOutcome
{
    /// <summary>It stands there, durably.</summary>
    Inserted,

    /// <summary>Another record stands under its key (also when its position is taken as well).</summary>
    KeyTaken,

    /// <summary>Another record stands on its position.</summary>
    PositionTaken,

    /// <summary>The answer was lost, or does not say that a majority holds it.</summary>
    Unknown,
}
