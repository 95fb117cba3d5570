using Dapr.Actors;
using Dapr.Actors.Runtime;

namespace StripeMeter.LocalDapr.Tests.Actors;

public interface ICounterActor : IActor
{
    Task<int> Add(int amount);

    Task<int> Read();

    Task AddAndThrow(int amount);

    Task Hold(string gate);
}

/// <summary>Counts in actor state as our shards do: as bytes.</summary>
public sealed class CounterActor(ActorHost host, ActorLog log) : Actor(host), ICounterActor
{
    private const string Key = "total";

    public async Task<int> Add(int amount)
    {
        var total = await Read() + amount;
        await StateManager.SetStateAsync(Key, BitConverter.GetBytes(total));
        return total;
    }

    public async Task<int> Read()
    {
        var stored = await StateManager.TryGetStateAsync<byte[]>(Key);
        return stored.HasValue ? BitConverter.ToInt32(stored.Value) : 0;
    }

    public async Task AddAndThrow(int amount)
    {
        await Add(amount);
        throw new InvalidOperationException("after the change");
    }

    public async Task Hold(string gate)
    {
        log.Write($"enter {Id} {gate}");
        await log.Gate(gate);
        log.Write($"leave {Id} {gate}");
    }

    protected override Task OnActivateAsync()
    {
        log.Write($"activate {Id}");
        return Task.CompletedTask;
    }

    protected override async Task OnDeactivateAsync()
    {
        log.Write($"deactivate {Id}");
        if (!log.SavesOnDeactivation)
            return;
        try
        {
            await StateManager.SetStateAsync("late", "yes");
            await SaveStateAsync();
            log.Write($"late save {Id} done");
        }
        catch (Exception refusal)
        {
            log.Write($"late save {Id} refused: {refusal.Message}");
        }
    }
}

/// <summary>What the actors of one test did, and the gates they wait at.</summary>
public sealed class ActorLog
{
    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];
    private readonly Dictionary<string, TaskCompletionSource> _gates = [];

    public bool SavesOnDeactivation { get; set; }

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lock)
                return [.. _lines];
        }
    }

    public void Write(string line)
    {
        lock (_lock)
            _lines.Add(line);
    }

    public Task Gate(string name) => GateOf(name).Task;

    public void Open(string name) => GateOf(name).TrySetResult();

    private TaskCompletionSource GateOf(string name)
    {
        lock (_lock)
        {
            if (!_gates.TryGetValue(name, out var gate))
                _gates.Add(name, gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            return gate;
        }
    }
}
