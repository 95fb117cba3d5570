using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Mappings;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Kits.Simulated.Database;

/// <summary>A database as one process sees it. It has no mappings.</summary>
/// <param name="database">The database.</param>
/// <param name="process">Who calls: what it asked is answered only while it lives.</param>
/// <param name="clock">The clock of that process.</param>
public sealed class SimulatedStore(SimulatedDatabase database, SimulatedProcess process, TimeProvider clock) : IMeterStore
{
    /// <summary>An empty database of one shard a tenant, in which nothing goes wrong and nothing has to be waited for.</summary>
    public static SimulatedStore Harmless()
    {
        var network = new SimulatedNetwork(new ImmediateScheduler(TimeProvider.System), FaultDice.Harmless());
        return new SimulatedStore(
            new SimulatedDatabase(network, new DatabaseRules(), newTenantShards: 1), new SimulatedProcess(), TimeProvider.System);
    }

    public IWorkFinder Work { get; } = new SimulatedWorkFinder(database, process);

    public IDocuments Directory { get; } = new SimulatedDocuments(database, SimulatedDatabase.Nobody, process);

    public ITenantStore Of(TenantId tenant) => new TenantStore(
        tenant, new SimulatedLedger(database, tenant, process, clock), new SimulatedProjection(database, tenant, process),
        new SimulatedDeltas(database, tenant, process), new SimulatedDocuments(database, tenant, process));

    /// <summary>The single-document operations of a tenant.</summary>
    public IPositionedRecords RecordsOf(TenantId tenant) => new SimulatedRecords(database, tenant, process);

    public Task PrepareAsync(CancellationToken cancellation) => Task.CompletedTask;

    public Task CheckAsync(CancellationToken cancellation) => Task.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class TenantStore(
        TenantId tenant, ILedger ledger, IProjection projection, IDeltaLedger deltas, IDocuments documents) : ITenantStore
    {
        public TenantId Tenant => tenant;

        public ILedger Ledger => ledger;

        public IProjection Projection => projection;

        public IMappings Mappings => throw new NotSupportedException("The simulated database has no mappings.");

        public IDeltaLedger Deltas => deltas;

        public IDocuments Documents => documents;
    }
}
