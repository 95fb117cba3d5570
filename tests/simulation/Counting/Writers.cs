using StripeMeter.Kits.Simulated.Database;
using StripeMeter.Kits.Simulated.Messaging;
using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Simulation.Counting;

/// <summary>
/// Processes that append what clients send and then tell the broker. A crashed one is replaced by a new one; what it had
/// sent may still land.
/// </summary>
internal sealed class Writers(SimulatedNetwork network, SimulatedDatabase database, SimulatedBroker broker)
{
    private const int Count = 2;
    private const int LongestMessage = 4;

    private readonly Writer[] _writers = [.. Enumerable.Range(0, Count).Select(_ => new Writer(network))];

    public void CrashOne()
    {
        var index = network.Dice.Next(Count);
        _writers[index].Process.Crash();
        _writers[index] = new Writer(network);
    }

    /// <summary>Sends a batch to some writer.</summary>
    /// <exception cref="CallLostException">The writer crashed, or its answer was lost.</exception>
    /// <exception cref="StoreUnavailableException">Nothing is known.</exception>
    public Task<IReadOnlyList<EventOutcome>> IngestAsync(SimulatedProcess client, Batch batch)
    {
        var writer = _writers[network.Dice.Next(Count)];
        return network.CallAsync(client, writer.Process, () => AppendAsync(writer, batch));
    }

    /// <summary>Has some writer append control records.</summary>
    /// <exception cref="CallLostException">The writer crashed, or its answer was lost.</exception>
    /// <exception cref="StoreUnavailableException">Nothing is known.</exception>
    public Task<bool> ControlAsync(SimulatedProcess caller, ControlWish wish)
    {
        var writer = _writers[network.Dice.Next(Count)];
        return network.CallAsync(caller, writer.Process, () => ControlAsync(writer, wish));
    }

    private async Task<bool> ControlAsync(Writer writer, ControlWish wish)
    {
        var tenant = new SimulatedStore(database, writer.Process, writer.Clock).Of(wish.Tenant);
        await foreach (var appended in wish.Maker.AppendAsync(tenant, writer.Clock).ConfigureAwait(false))
            Publish(writer, tenant.Ledger, wish.Tenant, appended.Appended);
        return true;
    }

    private async Task<IReadOnlyList<EventOutcome>> AppendAsync(Writer writer, Batch batch)
    {
        var ledger = new SimulatedStore(database, writer.Process, writer.Clock).Of(batch.Tenant).Ledger;
        var appender = new Appender(batch.Tenant, ledger, (_, _) => Workload.Lateness, writer.Clock);
        var appended = await appender.AppendAsync(batch.Events, batch.Session, CancellationToken.None).ConfigureAwait(false);
        Publish(writer, ledger, batch.Tenant, appended.Appended);
        return appended.Outcomes;
    }

    private void Publish(
        Writer writer, ILedger ledger, TenantId tenant, IReadOnlyDictionary<int, IReadOnlyList<Countable>> appended)
    {
        foreach (var (shard, records) in appended)
            network.Scheduler.Post(() => _ = PublishAsync(writer, ledger, new ShardId(tenant, shard), records));
    }

    /// <summary>Publishes behind the answer: a crash before it loses the messages and nothing else.</summary>
    private async Task PublishAsync(Writer writer, ILedger ledger, ShardId shard, IReadOnlyList<Countable> records)
    {
        if (!writer.Process.IsAlive)
            return;
        try
        {
            var head = await ledger.HeadAsync(shard.Shard, CancellationToken.None).ConfigureAwait(false);
            foreach (var range in Cut(records, 1 + network.Dice.Next(LongestMessage)))
                broker.Publish(shard, new RecordRange(head.LogId, range));
        }
        catch (StoreUnavailableException)
        {
            // The messages are lost.
        }
    }

    private static IEnumerable<IReadOnlyList<Countable>> Cut(IReadOnlyList<Countable> records, int longest)
    {
        var range = new List<Countable>();
        foreach (var record in records)
        {
            if (range.Count == longest || (range.Count > 0 && record.Position != range[^1].Position + 1))
            {
                yield return range;
                range = [];
            }

            range.Add(record);
        }

        yield return range;
    }

    private sealed class Writer(SimulatedNetwork network)
    {
        public SimulatedProcess Process { get; } = new();

        public TimeProvider Clock { get; } = network.Dice.Strikes(Fault.ClockSkewed)
            ? network.Scheduler.Clock.Skewed(TimeSpan.FromHours(network.Dice.Next(9) - 4))
            : network.Scheduler.Clock;
    }
}
