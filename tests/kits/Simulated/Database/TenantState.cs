using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Pushing;

namespace StripeMeter.Kits.Simulated.Database;

/// <summary>The documents of one tenant as one side of the database knows them.</summary>
internal sealed class TenantState
{
    public Dictionary<int, ShardLog> Shards { get; private init; } = [];

    public Dictionary<RecordKey, PlacedRecord> Records { get; private init; } = [];

    public Dictionary<CounterKey, StoredRow> Rows { get; private init; } = [];

    public Dictionary<int, ShardProgress> Progress { get; private init; } = [];

    public Dictionary<DeltaKey, DeltaDocument> Deltas { get; private init; } = [];

    public Dictionary<(string Identifier, long Closing), ClosedIntent> ClosedIntents { get; private init; } = [];

    public Dictionary<(int Shard, string LogId, RecountScope Scope), long> Recounts { get; private init; } = [];

    public Dictionary<(DocumentKind Kind, string Id), StoredDocument> Documents { get; private init; } = [];

    public TenantState Copy() => new()
    {
        Shards = Shards.ToDictionary(shard => shard.Key, shard => shard.Value.Copy()),
        Records = new Dictionary<RecordKey, PlacedRecord>(Records),
        Rows = new Dictionary<CounterKey, StoredRow>(Rows),
        Progress = new Dictionary<int, ShardProgress>(Progress),
        Deltas = new Dictionary<DeltaKey, DeltaDocument>(Deltas),
        ClosedIntents = new Dictionary<(string, long), ClosedIntent>(ClosedIntents),
        Recounts = new Dictionary<(int Shard, string LogId, RecountScope Scope), long>(Recounts),
        Documents = new Dictionary<(DocumentKind Kind, string Id), StoredDocument>(Documents),
    };

    public ShardHead HeadOf(int shard) => Shards.TryGetValue(shard, out var log) ? log.Head : ShardHead.Empty;

    public void SetHead(int shard, ShardHead head)
    {
        if (!Shards.TryGetValue(shard, out var log))
            Shards.Add(shard, log = new ShardLog());
        log.Head = head;
    }

    public void Insert(int shard, PositionedRecord placed)
    {
        var record = placed.Record;
        Shards[shard].Place(placed);
        // Without unique keys there may be two of one key; the index then finds the first.
        Records.TryAdd(new RecordKey(record.Space, record.Key), new PlacedRecord(shard, placed.Position, record));
    }
}

/// <summary>A record and where it stands.</summary>
internal readonly record struct PlacedRecord(int Shard, long Position, LedgerRecord Record);

/// <summary>An entry of the history of a delta document.</summary>
public readonly record struct ClosedIntent(DeltaKey Key, PushIntent Intent);

/// <summary>A row and since when it is marked as not pushed; null: it is not marked.</summary>
internal readonly record struct StoredRow(CounterRow Row, long? DirtySince);

/// <summary>The log of one shard: its head, and what stands on each position.</summary>
internal sealed class ShardLog
{
    private readonly List<LedgerRecord?> _positions = [];

    public ShardHead Head { get; set; } = ShardHead.Empty;

    public LedgerRecord? At(long position) => position <= _positions.Count ? _positions[(int)position - 1] : null;

    public void Place(PositionedRecord placed)
    {
        while (_positions.Count < placed.Position)
            _positions.Add(null);
        _positions[(int)placed.Position - 1] = placed.Record;
    }

    /// <summary>Records above a position, in order; positions without a record are passed over.</summary>
    public IEnumerable<PositionedRecord> Above(long position)
    {
        for (var next = position; next < _positions.Count; next++)
        {
            if (_positions[(int)next] is { } record)
                yield return new PositionedRecord(next + 1, record);
        }
    }

    public ShardLog Copy()
    {
        var copy = new ShardLog { Head = Head };
        copy._positions.AddRange(_positions);
        return copy;
    }
}
