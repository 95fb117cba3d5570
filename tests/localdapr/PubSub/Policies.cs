using StripeMeter.LocalDapr.Resources;
using StripeMeter.LocalDapr.Tests.Kit;

namespace StripeMeter.LocalDapr.Tests.PubSub;

internal static class Policies
{
    public static ResourceSet WithMetadata(ResourceSet resources, string name, string value) => resources with
    {
        Components = [.. resources.Components.Select(component =>
            component with { Metadata = new Dictionary<string, string>(component.Metadata) { [name] = value } })],
    };

    public static ResourceSet WithInboundRetry(ResourceSet resources, int maximumRetries) => resources with
    {
        Resiliency = new ResiliencyPolicies
        {
            Retries = new Dictionary<string,
                RetryPolicy> { ["again"] = new() { Duration = TimeSpan.FromMilliseconds(20), MaximumRetries = maximumRetries } },
            Inbound = new Dictionary<string, TargetPolicyNames> { [TestGroup.PubSub] = new(null, "again") },
        },
    };
}
