using System.Text.Json;
using StripeMeter.LocalDapr.Reminders;

namespace StripeMeter.LocalDapr.Actors;

/// <summary>Reentrancy of an actor type. Defaults are daprd's.</summary>
internal readonly record struct ReentrancyOptions(bool Enabled, int MaximumStackDepth)
{
    public static ReentrancyOptions Off { get; } = new(false, 32);
}

/// <summary>How an actor type is hosted.</summary>
internal sealed record ActorTypeOptions(TimeSpan IdleTimeout, ReentrancyOptions Reentrancy)
{
    public static ActorTypeOptions Default { get; } = new(TimeSpan.FromMinutes(60), ReentrancyOptions.Off);
}

/// <summary>
/// What the app said at <c>/dapr/config</c>. Of its keys runtime 1.18 reads the entities, the idle timeout, draining and
/// reentrancy; draining needs a rebalancing placement, which a group on one machine does not have.
/// </summary>
internal static class ActorHosting
{
    public static IReadOnlyDictionary<string, ActorTypeOptions> Parse(ReadOnlyMemory<byte> json)
    {
        var types = new Dictionary<string, ActorTypeOptions>(StringComparer.Ordinal);
        if (json.IsEmpty)
            return types;
        using var document = JsonDocument.Parse(json);
        var common = ReadOptions(document.RootElement, ActorTypeOptions.Default);
        foreach (var type in EntitiesOf(document.RootElement))
            types[type] = common;
        if (!document.RootElement.TryGetProperty("entitiesConfig", out var overrides) || overrides.ValueKind != JsonValueKind.Array)
            return types;
        foreach (var entry in overrides.EnumerateArray())
        {
            var options = ReadOptions(entry, common);
            foreach (var type in EntitiesOf(entry))
                types[type] = options;
        }

        return types;
    }

    private static IEnumerable<string> EntitiesOf(JsonElement element) =>
        element.TryGetProperty("entities", out var entities) && entities.ValueKind == JsonValueKind.Array
            ? entities.EnumerateArray().Select(static entity => entity.GetString() ?? "").Where(static type => type.Length > 0)
            : [];

    private static ActorTypeOptions ReadOptions(JsonElement element, ActorTypeOptions otherwise)
    {
        var idle = otherwise.IdleTimeout;
        if (element.TryGetProperty("actorIdleTimeout", out var text) && text.GetString() is { Length: > 0 } duration)
            idle = DaprDuration.Parse(duration);
        return new ActorTypeOptions(idle, ReadReentrancy(element, otherwise.Reentrancy));
    }

    private static ReentrancyOptions ReadReentrancy(JsonElement element, ReentrancyOptions otherwise)
    {
        if (!element.TryGetProperty("reentrancy", out var reentrancy) || reentrancy.ValueKind != JsonValueKind.Object)
            return otherwise;
        var enabled = reentrancy.TryGetProperty("enabled", out var flag) ? flag.ValueKind == JsonValueKind.True : otherwise.Enabled;
        var depth = reentrancy.TryGetProperty("maxStackDepth", out var number) && number.TryGetInt32(out var value) ? value
            : otherwise.MaximumStackDepth;
        return new ReentrancyOptions(enabled, depth);
    }
}
