using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;

namespace StripeMeter.Kits.Simulated.Messaging;

/// <summary>
/// Carries ranges of records to whoever folds their shard: in any order, several in one delivery, some never, some twice,
/// some long after they were acknowledged. A delivery that fails is tried again.
/// </summary>
public sealed class SimulatedBroker(SimulatedNetwork network, Func<ShardId, IReadOnlyList<RecordRange>, Task> deliver)
{
    private const int MaximumTries = 5;

    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan MuchLater = TimeSpan.FromMinutes(3);

    private readonly Dictionary<ShardId, List<Message>> _arrived = [];
    private readonly Dictionary<ShardId, long> _greatest = [];

    /// <summary>Messages that are being delivered, or wait for it.</summary>
    public int Underway { get; private set; }

    public void Publish(ShardId shard, RecordRange range)
    {
        if (network.Dice.Strikes(Fault.MessageLost))
            return;
        Send(shard, new Message(range, 1), network.Dice.Strikes(Fault.MessageDelayed) ? LongestDelay : TimeSpan.Zero);
        if (network.Dice.Strikes(Fault.MessageDuplicated))
            Send(shard, new Message(range, 1), LongestDelay);
    }

    private void Send(ShardId shard, Message message, TimeSpan longestDelay)
    {
        Underway++;
        if (longestDelay == TimeSpan.Zero)
            network.Scheduler.Post(Arrive);
        else
            network.Scheduler.PostAfter(network.Dice.Delay(longestDelay), Arrive);

        void Arrive()
        {
            if (!_arrived.TryGetValue(shard, out var arrived))
                _arrived.Add(shard, arrived = []);
            arrived.Add(message);
            NoteOrder(shard, message.Range);
            network.Scheduler.Post(() => _ = DeliverAsync(shard));
        }
    }

    /// <summary>Delivers some of the messages of a shard that have arrived, in one call.</summary>
    private async Task DeliverAsync(ShardId shard)
    {
        var arrived = _arrived[shard];
        if (arrived.Count == 0)
            return;
        var messages = arrived.GetRange(0, 1 + network.Dice.Next(arrived.Count));
        arrived.RemoveRange(0, messages.Count);
        if (arrived.Count > 0)
            network.Scheduler.Post(() => _ = DeliverAsync(shard));
        try
        {
            await deliver(shard, messages.ConvertAll(message => message.Range)).ConfigureAwait(false);
            foreach (var message in messages.Where(_ => network.Dice.Strikes(Fault.MessageRedelivered)))
                Send(shard, message, MuchLater);
        }
        catch (Exception failure) when (failure is CallLostException or StoreUnavailableException)
        {
            foreach (var message in messages.Where(message => message.Tries < MaximumTries))
                Send(shard, message with { Tries = message.Tries + 1 }, LongestDelay);
        }

        Underway -= messages.Count;
    }

    private void NoteOrder(ShardId shard, RecordRange range)
    {
        if (range.First < _greatest.GetValueOrDefault(shard))
            network.Dice.Tally.Note(Situation.MessageOutOfOrder);
        else
            _greatest[shard] = range.Last;
    }

    private readonly record struct Message(RecordRange Range, int Tries);
}
