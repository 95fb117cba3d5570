using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Ledger;

/// <summary>
/// Appends to a shard log with single-document operations only: look the keys up, reserve positions, insert. Each
/// record is unique by key and by position, so whatever crashes, comes twice or comes late, a key stands at one
/// position and a position holds one record. A position that stays empty is filled with junk: by the writer that lost
/// the race for a key, or, when a writer died, by a reader that has waited long enough.
/// </summary>
public sealed class AppendProtocol(IPositionedRecords records, TimeProvider clock)
{
    /// <summary>How often a record whose position was taken is given another one.</summary>
    public const int MaximumPlacements = 4;

    public async Task<IReadOnlyList<AppendOutcome>> AppendAsync(
        int shard, IReadOnlyList<LedgerRecord> candidates, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(candidates);
        var outcomes = new AppendOutcome?[candidates.Count];
        await SettleKnownAsync(candidates, outcomes, cancellation).ConfigureAwait(false);
        for (var placement = 0; placement < MaximumPlacements; placement++)
        {
            var open = Enumerable.Range(0, candidates.Count).Where(index => outcomes[index] is null).ToArray();
            if (open.Length == 0)
                return Array.ConvertAll(outcomes, outcome => outcome!.Value);
            await PlaceAsync(shard, candidates, open, outcomes, cancellation).ConfigureAwait(false);
        }

        return outcomes.All(outcome => outcome is not null)
            ? Array.ConvertAll(outcomes, outcome => outcome!.Value)
            : throw new StoreUnavailableException($"No free position was found in {MaximumPlacements} tries.");
    }

    private async Task SettleKnownAsync(
        IReadOnlyList<LedgerRecord> candidates, AppendOutcome?[] outcomes, CancellationToken cancellation)
    {
        var open = Enumerable.Range(0, candidates.Count).Where(index => outcomes[index] is null);
        var keys = open.Select(index => KeyOf(candidates[index])).ToArray();
        var known = await records.FindAsync(keys, cancellation).ConfigureAwait(false);
        for (var index = 0; index < candidates.Count; index++)
        {
            if (outcomes[index] is null && known.TryGetValue(KeyOf(candidates[index]), out var found))
                outcomes[index] = new AppendOutcome(false, found.Shard, found.Position, found.Fingerprint, found.Late);
        }
    }

    private async Task PlaceAsync(
        int shard, IReadOnlyList<LedgerRecord> candidates, int[] open, AppendOutcome?[] outcomes,
        CancellationToken cancellation)
    {
        var first = await records.ReserveAsync(shard, open.Length, cancellation).ConfigureAwait(false);
        var placed = open.Select((index, offset) => new PositionedRecord(first + offset, candidates[index])).ToArray();
        var inserted = await records.InsertAsync(shard, placed, cancellation).ConfigureAwait(false);

        var lost = new List<PositionedRecord>();
        var displaced = false;
        for (var offset = 0; offset < placed.Length; offset++)
        {
            var (position, record) = (placed[offset].Position, placed[offset].Record);
            if (inserted[offset] == InsertOutcome.Inserted)
                outcomes[open[offset]] = new AppendOutcome(true, shard, position, record.Fingerprint, record.Late);
            else if (inserted[offset] == InsertOutcome.KeyTaken)
                lost.Add(placed[offset]);
            else if (inserted[offset] == InsertOutcome.PositionTaken)
                displaced = true;
            else
                throw new StoreUnavailableException("Whether a record was stored is not known.");
        }

        if (displaced)
            await records.NoteDisplacementAsync(shard, cancellation).ConfigureAwait(false);
        if (lost.Count > 0)
            await YieldAsync(shard, lost, candidates, outcomes, cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// Another record won the key. What is answered must be durable, so the winner is read back from a majority; then
    /// the position that was for the loser gets junk.
    /// </summary>
    private async Task YieldAsync(
        int shard, List<PositionedRecord> lost, IReadOnlyList<LedgerRecord> candidates, AppendOutcome?[] outcomes,
        CancellationToken cancellation)
    {
        await SettleKnownAsync(candidates, outcomes, cancellation).ConfigureAwait(false);
        var now = Instant.Of(clock.GetUtcNow());
        var positions = lost.ToDictionary(loser => KeyOf(loser.Record), loser => loser.Position);
        var junk = new List<PositionedRecord>();
        for (var index = 0; index < candidates.Count; index++)
        {
            if (!positions.TryGetValue(KeyOf(candidates[index]), out var position))
                continue;
            if (outcomes[index] is not { } winner)
                throw new StoreUnavailableException("The record that stands under a key is not held by a majority yet.");
            if (winner.Shard == shard && winner.Position == position)
                outcomes[index] = winner with { Appended = true };
            else
                junk.Add(new PositionedRecord(position, LedgerRecord.JunkAt(shard, position, now)));
        }

        // Whether this works does not matter to the answer: a reader would fill the hole later.
        if (junk.Count > 0)
            await records.InsertAsync(shard, junk, cancellation).ConfigureAwait(false);
    }

    private static RecordKey KeyOf(LedgerRecord record) => new(record.Space, record.Key);
}
