using System.Collections.Concurrent;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Work;

namespace StripeMeter.Metering.Backfilling;

/// <summary>Finds backfills that were decided on and are not at rest, and brings them there: after a crash as well.</summary>
public sealed class BackfillSweep(IMeterStore store, TimeProvider clock, BackfillOptions options, RecordsAppended appended)
{
    private const int PageSize = 100;

    /// <summary>
    /// Gives every backfill with work a turn. Returns whether some have more to do. One failure does not stop the others.
    /// </summary>
    public async Task<bool> SweepAsync(CancellationToken cancellation)
    {
        var hasMore = false;
        var failures = new ConcurrentQueue<Exception>();
        TenantId? after = null;
        while (true)
        {
            var tenants = await store.Work.TenantsWithDocumentsAsync(DocumentKind.BackfillWork, after, PageSize, cancellation).ConfigureAwait(false);
            foreach (var tenant in tenants)
                hasMore |= await RunAllAsync(store.Of(tenant), failures, cancellation).ConfigureAwait(false);
            if (tenants.Count < PageSize)
                break;
            after = tenants[^1];
        }

        return failures.IsEmpty
            ? hasMore
            : throw new AggregateException("Some backfills could not go on; the next sweep tries again.", failures);
    }

    private async Task<bool> RunAllAsync(
        ITenantStore tenant, ConcurrentQueue<Exception> failures, CancellationToken cancellation)
    {
        var runner = new BackfillRunner(tenant, clock, options, appended);
        var query = new DocumentQuery(DocumentKind.BackfillWork) { Limit = PageSize };
        var unfinished = 0;
        while (true)
        {
            var named = await tenant.Documents.ListAsync(query, cancellation).ConfigureAwait(false);
            var queue = new ConcurrentQueue<StoredDocument>(named);
            await Task.WhenAll(Enumerable.Range(0, options.Parallelism).Select(_ => WorkAsync(queue))).ConfigureAwait(false);
            if (named.Count < PageSize)
                return unfinished > 0;
            query = query with { After = named[^1].Id };
        }

        async Task WorkAsync(ConcurrentQueue<StoredDocument> queue)
        {
            while (queue.TryDequeue(out var work))
            {
                try
                {
                    if (await runner.RunAsync(work.Id, options.TurnSteps, cancellation).ConfigureAwait(false))
                        Interlocked.Increment(ref unfinished);
                }
                catch (Exception failure) when (failure.IsOfThePiece(cancellation))
                {
                    failures.Enqueue(failure);
                }
            }
        }
    }
}
