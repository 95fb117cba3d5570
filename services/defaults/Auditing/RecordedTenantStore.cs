using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Mappings;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Defaults.Auditing;

/// <summary>
/// A tenant's data as a call that changes something sees it: whatever is written first has the change entered in the audit log
/// before. It stands below every endpoint, so none can forget to. Calls that only read or only add events never meet it.
/// </summary>
internal sealed class RecordedTenantStore(ITenantStore store, RecordedChange change) : ITenantStore
{
    public TenantId Tenant => store.Tenant;

    public ILedger Ledger => new RecordedLedger(store.Ledger, Begin);

    public IProjection Projection => new RecordedProjection(store.Projection, Begin);

    public IMappings Mappings => new RecordedMappings(store.Mappings, Begin);

    public IDeltaLedger Deltas => new RecordedDeltas(store.Deltas, Begin);

    public IDocuments Documents => new RecordedDocuments(store.Documents, Begin);

    private Task Begin(CancellationToken cancellation) => change.BeginAsync(store.Tenant, cancellation);
}

/// <summary>Documents of a call that changes something.</summary>
internal sealed class RecordedDocuments(IDocuments documents, Func<CancellationToken, Task> begin) : IDocuments
{
    public Task<StoredDocument?> GetAsync(DocumentKind kind, string id, CancellationToken cancellation) => documents.GetAsync(kind, id, cancellation);

    public Task<IReadOnlyList<StoredDocument>> ListAsync(DocumentQuery query, CancellationToken cancellation) => documents.ListAsync(query, cancellation);

    public Task<long> CountAsync(DocumentKind kind, string prefix, CancellationToken cancellation) => documents.CountAsync(kind, prefix, cancellation);

    public async Task<IReadOnlyList<bool>> WriteAsync(DocumentKind kind, IReadOnlyList<StoredDocument> written, CancellationToken cancellation)
    {
        await begin(cancellation).ConfigureAwait(false);
        return await documents.WriteAsync(kind, written, cancellation).ConfigureAwait(false);
    }

    public async Task<int> DeleteAsync(DocumentKind kind, string prefix, int limit, CancellationToken cancellation)
    {
        await begin(cancellation).ConfigureAwait(false);
        return await documents.DeleteAsync(kind, prefix, limit, cancellation).ConfigureAwait(false);
    }

    public async Task TrimAsync(DocumentKind kind, int keep, CancellationToken cancellation)
    {
        await begin(cancellation).ConfigureAwait(false);
        await documents.TrimAsync(kind, keep, cancellation).ConfigureAwait(false);
    }
}

internal sealed class RecordedLedger(ILedger ledger, Func<CancellationToken, Task> begin) : ILedger
{
    public ValueTask<int> ShardCountAsync(CancellationToken cancellation) => ledger.ShardCountAsync(cancellation);

    public async Task<IReadOnlyList<AppendOutcome>> AppendAsync(int shard, IReadOnlyList<LedgerRecord> records, CancellationToken cancellation)
    {
        await begin(cancellation).ConfigureAwait(false);
        return await ledger.AppendAsync(shard, records, cancellation).ConfigureAwait(false);
    }

    public Task<ShardHead> HeadAsync(int shard, CancellationToken cancellation) => ledger.HeadAsync(shard, cancellation);

    public Task<IReadOnlyList<Countable>> ReadAsync(int shard, long afterPosition, int limit, CancellationToken cancellation) =>
        ledger.ReadAsync(shard, afterPosition, limit, cancellation);

    public async Task FillAsync(int shard, long position, Instant now, CancellationToken cancellation)
    {
        await begin(cancellation).ConfigureAwait(false);
        await ledger.FillAsync(shard, position, now, cancellation).ConfigureAwait(false);
    }

    public Task<IReadOnlyDictionary<RecordKey, LedgerEntry>> FindAsync(IReadOnlyCollection<RecordKey> keys, CancellationToken cancellation) =>
        ledger.FindAsync(keys, cancellation);

    public Task<IReadOnlyList<Countable>> ReadControlsAsync(
        int shard, RecordKind kind, long afterPosition, int limit, CancellationToken cancellation) =>
        ledger.ReadControlsAsync(shard, kind, afterPosition, limit, cancellation);

    public Task<IReadOnlyList<EventSeries>> SeriesAsync(SeriesQuery query, CancellationToken cancellation) => ledger.SeriesAsync(query, cancellation);

    public Task<IReadOnlyList<LedgerEntry>> QueryAsync(EventQuery query, CancellationToken cancellation) => ledger.QueryAsync(query, cancellation);

    public Task<long> CountAsync(EventQuery query, CancellationToken cancellation) => ledger.CountAsync(query, cancellation);
}

internal sealed class RecordedMappings(IMappings mappings, Func<CancellationToken, Task> begin) : IMappings
{
    public Task<Mapping?> GetAsync(string id, CancellationToken cancellation) => mappings.GetAsync(id, cancellation);

    public Task<IReadOnlyList<Mapping>> ListAsync(string? metric, bool? active, string? afterId, int limit, CancellationToken cancellation) =>
        mappings.ListAsync(metric, active, afterId, limit, cancellation);

    public async Task<MappingWrite> CreateAsync(Mapping mapping, CancellationToken cancellation)
    {
        await begin(cancellation).ConfigureAwait(false);
        return await mappings.CreateAsync(mapping, cancellation).ConfigureAwait(false);
    }

    public async Task<MappingWrite> UpdateAsync(Mapping mapping, Instant? standing, CancellationToken cancellation)
    {
        await begin(cancellation).ConfigureAwait(false);
        return await mappings.UpdateAsync(mapping, standing, cancellation).ConfigureAwait(false);
    }

    public async Task<bool> DeleteAsync(string id, CancellationToken cancellation)
    {
        await begin(cancellation).ConfigureAwait(false);
        return await mappings.DeleteAsync(id, cancellation).ConfigureAwait(false);
    }
}

internal sealed class RecordedDeltas(IDeltaLedger deltas, Func<CancellationToken, Task> begin) : IDeltaLedger
{
    public Task<DeltaDocument?> LoadAsync(DeltaKey key, CancellationToken cancellation) => deltas.LoadAsync(key, cancellation);

    public async Task<bool> SaveAsync(DeltaDocument document, CancellationToken cancellation)
    {
        await begin(cancellation).ConfigureAwait(false);
        return await deltas.SaveAsync(document, cancellation).ConfigureAwait(false);
    }

    public async Task AppendHistoryAsync(DeltaKey key, PushIntent intent, CancellationToken cancellation)
    {
        await begin(cancellation).ConfigureAwait(false);
        await deltas.AppendHistoryAsync(key, intent, cancellation).ConfigureAwait(false);
    }

    public Task<IReadOnlyList<PushIntent>> HistoryAsync(DeltaKey key, long afterClosing, int limit, CancellationToken cancellation) =>
        deltas.HistoryAsync(key, afterClosing, limit, cancellation);

    public Task<PushIntent?> FindClosedAsync(string identifier, CancellationToken cancellation) => deltas.FindClosedAsync(identifier, cancellation);

    public Task<IReadOnlyList<AccountMode>> DueAccountsAsync(Instant now, int limit, CancellationToken cancellation) =>
        deltas.DueAccountsAsync(now, limit, cancellation);

    public Task<IReadOnlyList<DeltaKey>> DueAsync(string account, bool livemode, Instant now, int limit, CancellationToken cancellation) =>
        deltas.DueAsync(account, livemode, now, limit, cancellation);

    public Task<IReadOnlyList<DeltaDocument>> ListAsync(DeltaQuery query, CancellationToken cancellation) => deltas.ListAsync(query, cancellation);
}

internal sealed class RecordedProjection(IProjection projection, Func<CancellationToken, Task> begin) : IProjection
{
    public Task<ShardProgress> ProgressAsync(int shard, CancellationToken cancellation) => projection.ProgressAsync(shard, cancellation);

    public Task<IReadOnlyDictionary<CounterKey, CounterRow>> LoadAsync(IReadOnlyCollection<CounterKey> keys, CancellationToken cancellation) =>
        projection.LoadAsync(keys, cancellation);

    public async Task<IReadOnlyList<CounterRow>> WriteAsync(IReadOnlyCollection<CounterRow> rows, CancellationToken cancellation)
    {
        await begin(cancellation).ConfigureAwait(false);
        return await projection.WriteAsync(rows, cancellation).ConfigureAwait(false);
    }

    public async Task RaiseAsync(int shard, ShardProgress progress, CancellationToken cancellation)
    {
        await begin(cancellation).ConfigureAwait(false);
        await projection.RaiseAsync(shard, progress, cancellation).ConfigureAwait(false);
    }

    public async Task AddRecountsAsync(int shard, IReadOnlyCollection<RecountItem> items, CancellationToken cancellation)
    {
        await begin(cancellation).ConfigureAwait(false);
        await projection.AddRecountsAsync(shard, items, cancellation).ConfigureAwait(false);
    }

    public Task<IReadOnlyList<RecountItem>> RecountsAsync(int shard, int limit, CancellationToken cancellation) =>
        projection.RecountsAsync(shard, limit, cancellation);

    public async Task CloseRecountAsync(int shard, RecountItem item, CancellationToken cancellation)
    {
        await begin(cancellation).ConfigureAwait(false);
        await projection.CloseRecountAsync(shard, item, cancellation).ConfigureAwait(false);
    }

    public Task<IReadOnlyList<CounterRow>> ListAsync(CounterQuery query, CancellationToken cancellation) => projection.ListAsync(query, cancellation);

    public Task<IReadOnlyList<CounterRow>> DirtyAsync(int limit, CancellationToken cancellation) => projection.DirtyAsync(limit, cancellation);

    public async Task ClearDirtyAsync(IReadOnlyCollection<CounterRow> rows, CancellationToken cancellation)
    {
        await begin(cancellation).ConfigureAwait(false);
        await projection.ClearDirtyAsync(rows, cancellation).ConfigureAwait(false);
    }

    public async Task PostponeDirtyAsync(IReadOnlyCollection<CounterRow> rows, Instant now, CancellationToken cancellation)
    {
        await begin(cancellation).ConfigureAwait(false);
        await projection.PostponeDirtyAsync(rows, now, cancellation).ConfigureAwait(false);
    }

    public async Task MarkDirtyAsync(string metric, CancellationToken cancellation)
    {
        await begin(cancellation).ConfigureAwait(false);
        await projection.MarkDirtyAsync(metric, cancellation).ConfigureAwait(false);
    }
}
