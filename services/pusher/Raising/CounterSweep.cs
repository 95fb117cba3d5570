using System.Collections.Concurrent;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Mappings;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.Pusher.StripeApi;
using StripeMeter.Pusher.Telemetry;

namespace StripeMeter.Pusher.Raising;

/// <summary>
/// Brings changed counters into the delta ledger. The mark of a counter is cleared only once what it tells is durable there,
/// and only if the counter has not moved since; so a sweep may end at any point, and any number may run.
/// </summary>
internal sealed partial class CounterSweep(
    IMeterStore store, StripeAccounts accounts, PushProtocol protocol, PusherOptions options, PusherInstruments instruments, TimeProvider clock,
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
        var started = Instant.Of(clock.GetUtcNow());
        var postponed = new HashSet<CounterKey>();
        for (var page = 0; page < options.CounterPages; page++)
        {
            var dirty = await tenant.Projection.DirtyAsync(options.CounterPage, cancellation).ConfigureAwait(false);
            var rows = dirty.Where(row => !postponed.Contains(row.Counter.Key)).ToList();
            var mappings = await TenantMappings.LoadAsync(tenant, options.MappingsOfTenant, cancellation).ConfigureAwait(false);
            var placed = await PlaceAsync(rows, mappings, cancellation).ConfigureAwait(false);
            raised += await RaiseAsync(tenant, placed, cancellation).ConfigureAwait(false);
            var done = rows.Where(row => !placed.Failed.ContainsKey(row)).ToList();
            await ClearAsync(tenant, done, mappings, cancellation).ConfigureAwait(false);
            // What could not be raised now must not stand before the others again.
            if (!placed.Failed.IsEmpty)
                await tenant.Projection.PostponeDirtyAsync([.. placed.Failed.Keys], started, cancellation).ConfigureAwait(false);
            postponed.UnionWith(placed.Failed.Keys.Select(row => row.Counter.Key));
            if (rows.Count < options.CounterPage)
                break;
        }

        return raised;
    }

    private async Task<PlacedRows> PlaceAsync(
        IReadOnlyList<CounterRow> rows, TenantMappings mappings, CancellationToken cancellation)
    {
        var placed = new PlacedRows([], [], new ConcurrentDictionary<CounterRow, bool>(ReferenceEqualityComparer.Instance));
        foreach (var row in rows)
        {
            foreach (var place in PlacesOf(row, mappings.Of(row.Counter.Key.Metric)))
            {
                if (await StripeAccounts.ResolveAsync(place.Calls, place.Account, cancellation).ConfigureAwait(false) is not { } account)
                {
                    if (placed.Unknown.Add(place.Account))
                        LogAccountUnknown(logger, place.Account, place.Calls?.Problem ?? "there is no key for it");
                    placed.Failed.TryAdd(row, true);
                    continue;
                }

                var key = new DeltaKey(account.Id, account.Livemode, place.MeterId, place.StripeCustomer);
                if (!placed.Documents.TryGetValue(key, out var theirs))
                    placed.Documents.Add(key, theirs = []);
                theirs.Add((row, place.Raised));
            }
        }

        return placed;
    }

    /// <summary>Where a counter is told: by its mapping, and beside that by the shadow of it.</summary>
    private IEnumerable<Place> PlacesOf(CounterRow row, Mapping? mapping)
    {
        if (mapping is null)
            yield break;
        var customer = row.Counter.Key.Customer;
        if (mapping.Customers.StripeCustomerOf(customer) is { } billed)
        {
            var names = new MeterNames(mapping.MeterEventName, mapping.MeterCustomerKey, mapping.MeterValueKey) { Sink = mapping.Sink };
            yield return new Place(
                accounts.BilledOf(mapping.StripeAccount), mapping.StripeAccount, mapping.MeterId, billed,
                ToContribution(row, mapping, names) with { MappedSince = mapping.Created, PriceBegan = mapping.PriceBegan });
        }

        if (mapping.Shadow && (mapping.ShadowCustomers ?? mapping.Customers).StripeCustomerOf(customer) is { } shadow)
        {
            yield return new Place(
                accounts.ShadowOf(mapping.ShadowStripeAccount), mapping.ShadowStripeAccount, mapping.ShadowMeterId, shadow,
                ToContribution(row, mapping, mapping.ShadowMeter) with
                {
                    MappedSince = mapping.Updated, PriceBegan = mapping.ShadowPriceBegan, IsShadow = true,
                });
        }
    }

    /// <summary>Returns how many counters were brought into documents. Those that were not in all of theirs are noted as failed.</summary>
    private async Task<int> RaiseAsync(ITenantStore tenant, PlacedRows placed, CancellationToken cancellation)
    {
        var raiser = new ContributionRaiser(tenant.Deltas, protocol, clock);
        await Parallel.ForEachAsync(
            placed.Documents,
            new ParallelOptions { MaxDegreeOfParallelism = options.ConcurrentRaises, CancellationToken = cancellation },
            async (document, token) =>
            {
                try
                {
                    await raiser.RaiseAsync(document.Key, [.. document.Value.Select(item => item.Raised)], token).ConfigureAwait(false);
                }
                catch (StoreUnavailableException problem)
                {
                    LogRaiseFailed(logger, problem, document.Value.Count);
                    foreach (var (row, _) in document.Value)
                        placed.Failed.TryAdd(row, true);
                }
            }).ConfigureAwait(false);
        var raised = placed.Documents.Values.SelectMany(items => items.Select(item => item.Row))
            .Distinct<CounterRow>(ReferenceEqualityComparer.Instance).Count(row => !placed.Failed.ContainsKey(row));
        instruments.Raised(raised);
        return raised;
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

    private static RaisedContribution ToContribution(CounterRow row, Mapping mapping, MeterNames names)
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
            names,
            mapping.Updated);
    }

    private sealed record PlacedRows(
        Dictionary<DeltaKey, List<(CounterRow Row, RaisedContribution Raised)>> Documents, HashSet<string> Unknown,
        ConcurrentDictionary<CounterRow, bool> Failed);

    private sealed record Place(StripeCalls? Calls, string Account, string MeterId, string StripeCustomer, RaisedContribution Raised);

    [LoggerMessage(311, LogLevel.Warning, "The account that mappings call {Account} cannot be known now, so nothing is raised for it: {Problem}")]
    private static partial void LogAccountUnknown(ILogger logger, string account, string problem);

    [LoggerMessage(312, LogLevel.Warning, "{Counters} counters could not be raised; the next sweep tries again")]
    private static partial void LogRaiseFailed(ILogger logger, Exception problem, int counters);
}
