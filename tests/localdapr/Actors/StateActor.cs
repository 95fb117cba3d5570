using System.Text.Json;
using System.Text.Json.Serialization;
using Dapr.Actors;
using Dapr.Actors.Runtime;

namespace StripeMeter.LocalDapr.Tests.Actors;

public interface IStateActor : IActor
{
    Task<string> Exercise();

    Task Set(string key, string value);

    Task<string?> Get(string key);

    Task<Envelope> Echo(Envelope envelope);

    Task<string?> Nothing();
}

/// <summary>A record with members of its own and of others.</summary>
public sealed record Envelope(string Name, long Number)
{
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? More { get; init; }
}

public sealed class StateActor(ActorHost host) : Actor(host), IStateActor
{
    /// <summary>Every operation of the state manager; the answer tells what each said.</summary>
    public async Task<string> Exercise()
    {
        var said = new List<object?> { await StateManager.TryAddStateAsync("a", "1"), await StateManager.TryAddStateAsync("a", "2") };
        await SaveStateAsync();
        said.Add(await StateManager.ContainsStateAsync("a"));
        said.Add(await StateManager.ContainsStateAsync("b"));
        said.Add(await StateManager.GetOrAddStateAsync("b", "3"));
        said.Add(await StateManager.AddOrUpdateStateAsync("b", "4", static (_, value) => value + "!"));
        await SaveStateAsync();
        said.Add(await StateManager.TryRemoveStateAsync("a"));
        said.Add(await StateManager.TryRemoveStateAsync("none"));
        await SaveStateAsync();
        said.Add((await StateManager.TryGetStateAsync<string>("a")).HasValue);
        return string.Join(' ', said);
    }

    public Task Set(string key, string value) => StateManager.SetStateAsync(key, value);

    public async Task<string?> Get(string key) =>
        await StateManager.TryGetStateAsync<string>(key) is { HasValue: true } found ? found.Value : null;

    public Task<Envelope> Echo(Envelope envelope) => Task.FromResult(envelope);

    public Task<string?> Nothing() => Task.FromResult<string?>(null);
}
