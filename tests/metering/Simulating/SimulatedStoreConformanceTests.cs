using StripeMeter.Kits.Simulated.Database;
using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Kits.Storage;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Metering.Tests.Simulating;

/// <summary>What the simulation calls a store behaves as the engines do.</summary>
public sealed class SimulatedStoreConformanceTests
{
    private const EngineParts Parts = EngineParts.Ledger | EngineParts.PositionedRecords | EngineParts.Projection | EngineParts.Deltas | EngineParts.Work | EngineParts.Documents;

    public static TheoryData<string> Points => [.. StorageKit.Points(Parts)];

    [Theory, MemberData(nameof(Points))]
    public async Task Simulated_EveryPointOfTheKit_Holds(string point)
    {
        await using var engine = new SimulatedEngine();
        await StorageKit.RunAsync(point, engine);
    }

    private sealed class SimulatedEngine : IStorageEngine
    {
        private readonly SimulatedProcess _process = new();

        public Task<IMeterStore> OpenAsync(int newTenantShards, CancellationToken cancellation)
        {
            var network = new SimulatedNetwork(new ImmediateScheduler(TimeProvider.System), FaultDice.Harmless());
            var database = new SimulatedDatabase(network, new DatabaseRules(), newTenantShards);
            return Task.FromResult<IMeterStore>(new SimulatedStore(database, _process, TimeProvider.System));
        }

        public IPositionedRecords PositionedRecordsOf(IMeterStore store, TenantId tenant) =>
            ((SimulatedStore)store).RecordsOf(tenant);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
