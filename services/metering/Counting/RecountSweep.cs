using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Work;

namespace StripeMeter.Metering.Counting;

/// <summary>Finds shards with counters to count anew and has it done, shard by shard.</summary>
public sealed class RecountSweep(
    IMeterStore store, Func<ShardId, Recount, CancellationToken, Task<InstallResult>> install, RecountOptions options)
{
    /// <summary>Shards looked at in one read.</summary>
    public const int PageShards = 100;

    /// <summary>Does what there is to do once. Returns how many work items are done. One failure does not stop the others.</summary>
    public async Task<int> SweepAsync(CancellationToken cancellation)
    {
        var done = 0;
        var failures = new List<Exception>();
        ShardId? after = null;
        while (true)
        {
            var page = await store.Work.ShardsToRecountAsync(after, PageShards, cancellation).ConfigureAwait(false);
            foreach (var shard in page)
            {
                try
                {
                    done += await RunnerOf(shard).RunAsync(cancellation).ConfigureAwait(false);
                }
                catch (Exception failure) when (failure.IsOfThePiece(cancellation))
                {
                    failures.Add(failure);
                }
            }

            if (page.Count < PageShards)
                break;
            after = page[^1];
        }

        return failures.Count == 0
            ? done
            : throw new AggregateException("Some shards could not be recounted; the next sweep tries again.", failures);
    }

    private RecountRunner RunnerOf(ShardId shard)
    {
        var tenant = store.Of(shard.Tenant);
        return new RecountRunner(
            shard.Shard, tenant.Ledger, tenant.Projection, (recount, cancellation) => install(shard, recount, cancellation), options);
    }
}
