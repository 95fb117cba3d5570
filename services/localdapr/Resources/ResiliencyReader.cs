using StripeMeter.LocalDapr.Reminders;
using YamlDotNet.RepresentationModel;

namespace StripeMeter.LocalDapr.Resources;

/// <summary>Reads a Resiliency resource. Circuit breakers, app targets and outbound targets are accepted and have nothing to act
/// on here.</summary>
internal static class ResiliencyReader
{
    public static ResiliencyPolicies Read(string path, YamlMappingNode document)
    {
        var spec = document.Map("spec");
        var targets = spec.Map("targets");
        if (targets is null && document.Child("targets") is not null)
            throw new LocalDaprConfigurationException($"{path}: targets belong inside spec");
        var policies = new ResiliencyPolicies
        {
            Timeouts = spec.Map("policies").Map("timeouts").Members()
                .ToDictionary(static member => member.Name, member => Duration(path, member.Value.ToString())),
            Retries = spec.Map("policies").Map("retries").Members()
                .ToDictionary(static member => member.Name, member => ReadRetry(path, member.Name, member.Value as YamlMappingNode)),
            Actors = targets.Map("actors").Members()
                .ToDictionary(static member => member.Name, static member => NamesOf(member.Value as YamlMappingNode)),
            Inbound = targets.Map("components").Members()
                .Select(static member => (member.Name, Inbound: (member.Value as YamlMappingNode).Map("inbound")))
                .Where(static target => target.Inbound is not null)
                    .ToDictionary(static target => target.Name, static target => NamesOf(target.Inbound)),
        };
        policies.CheckNames();
        return policies;
    }

    private static TargetPolicyNames NamesOf(YamlMappingNode? target) => new(target.Text("timeout"), target.Text("retry"));

    private static RetryPolicy ReadRetry(string path, string name, YamlMappingNode? retry)
    {
        var defaults = new RetryPolicy();
        var kind = retry.Text("policy") ?? "constant";
        if (kind is not ("constant" or "exponential"))
            throw new LocalDaprConfigurationException($"{path}: retry '{name}' has policy '{kind}'; constant and exponential exist");
        return new RetryPolicy
        {
            IsExponential = kind == "exponential",
            Duration = retry.Text("duration") is { } duration ? Duration(path, duration) : defaults.Duration,
            MaximumInterval = retry.Text("maxInterval") is { } interval ? Duration(path, interval) : defaults.MaximumInterval,
            MaximumRetries = retry.Number("maxRetries") ?? defaults.MaximumRetries,
        };
    }

    private static TimeSpan Duration(string path, string text)
    {
        try
        {
            return DaprDuration.Parse(text);
        }
        catch (FormatException failure)
        {
            throw new LocalDaprConfigurationException($"{path}: {failure.Message}");
        }
    }
}
