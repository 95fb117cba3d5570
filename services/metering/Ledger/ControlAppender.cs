namespace StripeMeter.Metering.Ledger;

/// <summary>What became of control records.</summary>
/// <param name="Outcomes">One per record, in their order.</param>
/// <param name="Appended">The records that are new in the ledger, by shard, with rising positions.</param>
public sealed record AppendedControls(
    IReadOnlyList<AppendOutcome> Outcomes, IReadOnlyDictionary<int, IReadOnlyList<Countable>> Appended);

/// <summary>Appends control records of one tenant to the shards they concern. Doing so again changes nothing.</summary>
public sealed class ControlAppender(ILedger ledger)
{
    /// <summary>Appends records to the shards of their customers. Their keys must differ.</summary>
    /// <exception cref="StoreUnavailableException">Some may be stored; appending all again is safe.</exception>
    public async Task<AppendedControls> AppendAsync(IReadOnlyList<LedgerRecord> records, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(records);
        var shards = await ledger.ShardCountAsync(cancellation).ConfigureAwait(false);
        return await AppendAsync([.. records.Select(record => (Shards.Of(record.Customer, shards), record))], cancellation)
            .ConfigureAwait(false);
    }

    /// <summary>Excludes a session in every shard.</summary>
    /// <param name="exclusion">Makes the record of a shard, as <see cref="ControlRecords.SessionExcluded"/> does.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    /// <exception cref="StoreUnavailableException">Some may be stored; appending all again is safe.</exception>
    public async Task<AppendedControls> AppendToAllShardsAsync(Func<int, LedgerRecord> exclusion, CancellationToken cancellation)
    {
        var shards = await ledger.ShardCountAsync(cancellation).ConfigureAwait(false);
        return await AppendAsync([.. Enumerable.Range(0, shards).Select(shard => (shard, exclusion(shard)))], cancellation)
            .ConfigureAwait(false);
    }

    private async Task<AppendedControls> AppendAsync((int Shard, LedgerRecord Record)[] records, CancellationToken cancellation)
    {
        var outcomes = new AppendOutcome[records.Length];
        var appended = new Dictionary<int, IReadOnlyList<Countable>>();
        foreach (var shard in Enumerable.Range(0, records.Length).GroupBy(index => records[index].Shard))
        {
            var indexes = shard.ToArray();
            var results = await ledger.AppendAsync(
                shard.Key, Array.ConvertAll(indexes, index => records[index].Record), cancellation).ConfigureAwait(false);
            for (var place = 0; place < indexes.Length; place++)
                outcomes[indexes[place]] = results[place];
            var fresh = indexes.Where(index => outcomes[index].Appended)
                .Select(index => Countable.Of(new PositionedRecord(outcomes[index].Position, records[index].Record))).ToArray();
            if (fresh.Length > 0)
                appended.Add(shard.Key, fresh);
        }

        return new AppendedControls(outcomes, appended);
    }
}
