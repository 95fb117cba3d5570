using System.Collections.Concurrent;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Mappings;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Pusher.StripeApi;
using StripeMeter.Pusher.Telemetry;

namespace StripeMeter.Pusher.Raising;

/// <summary>
/// Brings changed counters into the delta ledger. The mark of a counter is cleared only once what it tells is durable there,
/// and only if the counter has not moved since; so a sweep may end at any point, and any number may run.
/// </summary>
internal sealed partial class CounterSweep(
    IMeterStore store, StripeCalls calls, PushProtocol protocol, PusherOptions options, PusherInstruments instruments, TimeProvider clock,
    ILogger<CounterSweep> logger)
{
    /// <summary>Sweeps all tenants once. Returns how many counters were raised.</summary>
    public async Task<int> SweepAsync(CancellationToken cancellation)
    {
        var raised = 0;
        TenantId? after = null;
        while (true)
        {
            var tenants = await store.Work.TenantsWithDirtyCountersAsync(after, options.WorkPage, cancellation).ConfigureAwait(false);
            foreach (var tenant in tenants)
                raised += await SweepTenantAsync(store.Of(tenant), cancellation).ConfigureAwait(false);
            if (tenants.Count < options.WorkPage)
                return raised;
            after = tenants[^1];
        }
    }

    private async Task<int> SweepTenantAsync(ITenantStore tenant, CancellationToken cancellation)
    {
        var raised = 0;
        for (var page = 0; page < options.CounterPages; page++)
        {
            var rows = await tenant.Projection.DirtyAsync(options.CounterPage, cancellation).ConfigureAwait(false);
            var mappings = await TenantMappings.LoadAsync(tenant, options.MappingsOfTenant, cancellation).ConfigureAwait(false);
            var placed = await PlaceAsync(rows, mappings, cancellation).ConfigureAwait(false);
            var done = await RaiseAsync(tenant, placed, cancellation).ConfigureAwait(false);
            raised += done.Count;
            done.AddRange(placed.Unmapped);
            await ClearAsync(tenant, done, mappings, cancellation).ConfigureAwait(false);
            // What could not be raised now stands first again.
            if (rows.Count < options.CounterPage || done.Count < rows.Count)
                break;
        }

        return raised;
    }

    private async Task<PlacedRows> PlaceAsync(
        IReadOnlyList<CounterRow> rows, TenantMappings mappings, CancellationToken cancellation)
    {
        var placed = new PlacedRows([], []);
        foreach (var row in rows)
        {
            var mapping = mappings.Of(row.Counter.Key.Metric);
            if (mapping?.Customers.StripeCustomerOf(row.Counter.Key.Customer) is not { } stripeCustomer)
            {
                placed.Unmapped.Add(row);
                continue;
            }

            if (await calls.ResolveAsync(mapping.StripeAccount, cancellation).ConfigureAwait(false) is not { } account)
            {
                LogAccountUnknown(logger, calls.Problem);
                continue;
            }

            var key = new DeltaKey(account, calls.Livemode, mapping.MeterId, stripeCustomer);
            if (!placed.Documents.TryGetValue(key, out var theirs))
                placed.Documents.Add(key, theirs = []);
            theirs.Add((row, ToContribution(row, mapping)));
        }

        return placed;
    }

    private async Task<List<CounterRow>> RaiseAsync(ITenantStore tenant, PlacedRows placed, CancellationToken cancellation)
    {
        var raiser = new ContributionRaiser(tenant.Deltas, protocol, clock);
        var done = new ConcurrentBag<CounterRow>();
        await Parallel.ForEachAsync(
            placed.Documents,
            new ParallelOptions { MaxDegreeOfParallelism = options.ConcurrentRaises, CancellationToken = cancellation },
            async (document, token) =>
            {
                try
                {
                    await raiser.RaiseAsync(document.Key, [.. document.Value.Select(item => item.Raised)], token).ConfigureAwait(false);
                    foreach (var (row, _) in document.Value)
                        done.Add(row);
                }
                catch (StoreUnavailableException problem)
                {
                    LogRaiseFailed(logger, problem, document.Value.Count);
                }
            }).ConfigureAwait(false);
        instruments.Raised(done.Count);
        return [.. done];
    }

    /// <summary>
    /// Clears marks. A mapping that changed while its old version was used has marked its counters before that, so they are
    /// marked again.
    /// </summary>
    private async Task ClearAsync(
        ITenantStore tenant, List<CounterRow> done, TenantMappings used, CancellationToken cancellation)
    {
        if (done.Count == 0)
            return;
        await tenant.Projection.ClearDirtyAsync(done, cancellation).ConfigureAwait(false);
        var present = await TenantMappings.LoadAsync(tenant, options.MappingsOfTenant, cancellation).ConfigureAwait(false);
        foreach (var metric in used.DifferFrom(present).ToArray())
            await tenant.Projection.MarkDirtyAsync(metric, cancellation).ConfigureAwait(false);
    }

    private static RaisedContribution ToContribution(CounterRow row, Mapping mapping)
    {
        var (key, aggregates) = (row.Counter.Key, row.Counter.Aggregates);
        var value = mapping.Aggregation switch
        {
            Aggregation.Sum => aggregates.Sum,
            Aggregation.Count => Quantity.FromInteger(aggregates.Count),
            Aggregation.Max => aggregates.Max,
            Aggregation.Last => aggregates.Last,
            _ => aggregates.Min,
        };
        return new RaisedContribution(
            row.Counter.Period,
            new Contribution(key.Metric, key.Customer, value, row.Counter.Version, row.LogId, aggregates.LastTimestamp),
            new MeterNames(mapping.MeterEventName, mapping.MeterCustomerKey, mapping.MeterValueKey) { Sink = mapping.Sink },
            mapping.Updated);
    }

    private sealed record PlacedRows(
        Dictionary<DeltaKey, List<(CounterRow Row, RaisedContribution Raised)>> Documents, List<CounterRow> Unmapped);

    [LoggerMessage(311, LogLevel.Warning, "Whose key it is cannot be known now, so nothing is pushed: {Problem}")]
    private static partial void LogAccountUnknown(ILogger logger, string problem);

    [LoggerMessage(312, LogLevel.Warning, "{Counters} counters could not be raised; the next sweep tries again")]
    private static partial void LogRaiseFailed(ILogger logger, Exception problem, int counters);
}
