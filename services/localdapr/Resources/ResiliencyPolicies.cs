namespace StripeMeter.LocalDapr.Resources;

/// <summary>
/// The retries and timeouts of a Resiliency resource that the stand-in honours: actor targets and inbound pub/sub. Targets win
/// over the reserved default names. Outbound policies guard against brokers and databases that do not exist here.
/// </summary>
public sealed record ResiliencyPolicies
{
    public static ResiliencyPolicies None { get; } = new();

    public IReadOnlyDictionary<string, RetryPolicy> Retries { get; init; } = new Dictionary<string, RetryPolicy>();

    public IReadOnlyDictionary<string, TimeSpan> Timeouts { get; init; } = new Dictionary<string, TimeSpan>();

    /// <summary>By actor type.</summary>
    public IReadOnlyDictionary<string, TargetPolicyNames> Actors { get; init; } = new Dictionary<string, TargetPolicyNames>();

    /// <summary>By component name.</summary>
    public IReadOnlyDictionary<string, TargetPolicyNames> Inbound { get; init; } = new Dictionary<string, TargetPolicyNames>();

    private static readonly string[] ActorLevels = ["DefaultActor", "Default"];
    private static readonly string[] InboundLevels = ["DefaultPubsubComponentInbound", "DefaultComponentInbound",
        "DefaultComponent", "Default"];

    /// <summary>Resolves every target once.</summary>
    /// <exception cref="LocalDaprConfigurationException">One names a policy that is not defined.</exception>
    internal void CheckNames()
    {
        foreach (var type in Actors.Keys)
            ForActor(type);
        foreach (var component in Inbound.Keys)
            ForInbound(component);
    }

    internal TargetPolicy ForActor(string type) => Resolve(Actors.GetValueOrDefault(type), ActorLevels);

    internal TargetPolicy ForInbound(string component) => Resolve(Inbound.GetValueOrDefault(component), InboundLevels);

    private TargetPolicy Resolve(TargetPolicyNames? target, string[] levels)
    {
        var retry = target is null ? FirstOf(Retries, levels, "RetryPolicy") : Named(Retries, target.Retry);
        var timeout = target is null ? FirstOf(Timeouts, levels, "TimeoutPolicy") : Named(Timeouts, target.Timeout);
        return new TargetPolicy(target is not null, timeout == default ? null : timeout, retry);
    }

    private static T? FirstOf<T>(IReadOnlyDictionary<string, T> policies, string[] levels, string suffix)
    {
        foreach (var level in levels)
        {
            if (policies.TryGetValue(level + suffix, out var policy))
                return policy;
        }

        return default;
    }

    private static T? Named<T>(IReadOnlyDictionary<string, T> policies, string? name) =>
        name is null ? default
        : policies.TryGetValue(name, out var policy) ? policy
        : throw new LocalDaprConfigurationException($"resiliency target names policy '{name}', which is not defined");
}

/// <summary>The names a target gives to its policies.</summary>
public sealed record TargetPolicyNames(string? Timeout, string? Retry);

/// <summary>What holds for one target; null means no such policy.</summary>
internal sealed record TargetPolicy(bool IsTargeted, TimeSpan? Timeout, RetryPolicy? Retry);

/// <summary>How often and when to try again. The defaults are Dapr's: every 5 s, for ever.</summary>
public sealed record RetryPolicy
{
    /// <summary>First pause of an exponential policy, as in daprd.</summary>
    private static readonly TimeSpan ExponentialStart = TimeSpan.FromMilliseconds(500);

    public bool IsExponential { get; init; }

    /// <summary>The pause of a constant policy.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The longest pause of an exponential policy.</summary>
    public TimeSpan MaximumInterval { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>-1 is without end, 0 never.</summary>
    public int MaximumRetries { get; init; } = -1;

    /// <summary>The pause before retry number <paramref name="retry"/> (from 1), or null when there is none. Grows by half each
    /// time, without daprd's jitter.</summary>
    internal TimeSpan? PauseBefore(int retry)
    {
        if (MaximumRetries >= 0 && retry > MaximumRetries)
            return null;
        if (!IsExponential)
            return Duration;
        var pause = ExponentialStart;
        for (var step = 1; step < retry && pause < MaximumInterval; step++)
            pause += pause / 2;
        return pause < MaximumInterval ? pause : MaximumInterval;
    }
}
