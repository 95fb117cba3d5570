using System.Security.Cryptography;
using System.Text;
using Dapr.Actors.Runtime;
using Google.Protobuf;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Counting;
using StripeMeter.V1;
using DomainCounter = StripeMeter.Metering.Counting.Counter;
using ShardProgress = StripeMeter.Metering.Counting.ShardProgress;

namespace StripeMeter.Aggregator.CounterShards;

/// <summary>
/// Counters in the state of a Dapr actor, as protobuf bytes. What turns change gathers here and is set once an interval;
/// the SDK then saves it when the turn ends, after the rows are written.
/// </summary>
internal sealed class ActorCounterState(IActorStateManager state, FoldingOptions options, TimeProvider clock) : ICounterState
{
    private const string HeaderKey = "header";
    private readonly Dictionary<CounterKey, DomainCounter> _changed = [];
    private string _logId = "";
    private long? _savedAt;
    private int _heldValues;

    public async Task<ShardProgress?> LoadProgressAsync(CancellationToken cancellation)
    {
        var stored = await state.TryGetStateAsync<byte[]>(HeaderKey, cancellation).ConfigureAwait(false);
        if (!stored.HasValue)
            return null;
        var header = CounterShardHeader.Parser.ParseFrom(stored.Value);
        return new ShardProgress(header.LogId, header.FoldedPosition);
    }

    public async Task<DomainCounter?> LoadAsync(string logId, CounterKey key, CancellationToken cancellation)
    {
        var stored = await state.TryGetStateAsync<byte[]>(KeyOf(key), cancellation).ConfigureAwait(false);
        if (!stored.HasValue)
            return null;
        var counter = CounterState.Parser.ParseFrom(stored.Value);
        return counter.LogId == logId ? counter.ToCounter() : null;
    }

    public async Task SaveAsync(
        ShardProgress progress, IReadOnlyCollection<DomainCounter> counters, CancellationToken cancellation)
    {
        if (progress.LogId != _logId)
            _changed.Clear();
        _logId = progress.LogId;
        foreach (var counter in counters)
            _changed[counter.Key] = counter;
        var interval = TimeSpan.FromMilliseconds(options.ActorSaveIntervalMs);
        if (_savedAt is { } savedAt && clock.GetElapsedTime(savedAt) < interval && _changed.Count < options.HeldStateValues)
            return;
        _savedAt = clock.GetTimestamp();

        // All that was set in earlier turns is saved, so the cache may go; else it would hold every counter ever touched.
        if (_heldValues > options.HeldStateValues)
        {
            await state.ClearCacheAsync(cancellation).ConfigureAwait(false);
            _heldValues = 0;
        }

        foreach (var counter in _changed.Values)
        {
            await state.SetStateAsync(KeyOf(counter.Key), counter.ToState(progress.LogId).ToByteArray(), cancellation)
                .ConfigureAwait(false);
        }

        var header = new CounterShardHeader { LogId = progress.LogId, FoldedPosition = progress.Position };
        await state.SetStateAsync(HeaderKey, header.ToByteArray(), cancellation).ConfigureAwait(false);
        _heldValues += _changed.Count + 1;
        _changed.Clear();
    }

    /// <summary>State keys go into addresses as they are, so they are hashes. The counter's names stand in its value.</summary>
    private static string KeyOf(CounterKey key)
    {
        var names = Encoding.UTF8.GetBytes($"{key.Metric.Length}:{key.Metric}{key.Customer}");
        return FormattableString.Invariant(
            $"c-{Convert.ToHexStringLower(SHA256.HashData(names).AsSpan(0, 16))}-{key.PeriodStart.Ticks / TimeSpan.TicksPerSecond}");
    }
}
