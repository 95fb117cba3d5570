using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Metering.Auditing;

/// <summary>A checked counter and whose it is.</summary>
public sealed record AuditedCounter(TenantId Tenant, AuditResult Result);

/// <summary>
/// Walks over the counters of all tenants, page by page and round again, and checks one of each page, drawn at random: so
/// none is left out for ever, and none is due at a known time. What it remembers may be lost at any time.
/// </summary>
/// <param name="store">The store.</param>
/// <param name="draw">A random number from 0 to below its argument.</param>
/// <param name="pageRecords">Records read at a time.</param>
public sealed class AuditWalk(IMeterStore store, Func<int, int> draw, int pageRecords)
{
    /// <summary>Counters of which one is checked.</summary>
    public const int PageCounters = 20;

    private ShardId? _shard;
    private TenantId? _tenant;
    private CounterKey? _place;

    /// <summary>Checks the next counter. Null at the end of a round.</summary>
    public async Task<AuditedCounter?> NextAsync(CancellationToken cancellation)
    {
        while (_tenant is not null || await NextTenantAsync(cancellation).ConfigureAwait(false))
        {
            var tenant = store.Of(_tenant!.Value);
            var page = await tenant.Projection.ListAsync(
                new CounterQuery { After = _place, Limit = PageCounters }, cancellation).ConfigureAwait(false);
            if (page.Count == 0)
            {
                (_tenant, _place) = (null, null);
                continue;
            }

            _place = page[^1].Counter.Key;
            var result = await new CounterAuditor(tenant, pageRecords).CheckAsync(page[draw(page.Count)], cancellation).ConfigureAwait(false);
            return new AuditedCounter(tenant.Tenant, result);
        }

        return null;
    }

    private async Task<bool> NextTenantAsync(CancellationToken cancellation)
    {
        var before = _shard?.Tenant;
        while (await store.Work.HeadsAsync(_shard, 1, cancellation).ConfigureAwait(false) is [var next, ..])
        {
            _shard = next.Shard;
            if (next.Shard.Tenant == before)
                continue;
            _tenant = next.Shard.Tenant;
            return true;
        }

        _shard = null;
        return false;
    }
}
