namespace StripeMeter.House.Tests.Dependencies;

/// <summary>
/// Dependencies point one way: the domain and the contracts know nobody, storage knows the domain, services know those
/// and what they share, and never each other. The stand-ins for Dapr and Stripe know none of them. Only what puts
/// everything into one process knows all.
/// </summary>
internal static class DependencyLaw
{
    private static readonly string[] Shared = ["contracts", "metering", "storage", "defaults"];

    /// <summary>By folder under <c>services</c>: what it may reference.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<string>> MayReference { get; } = new Dictionary<string, IReadOnlyList<string>>
    {
        ["metering"] = [],
        ["contracts"] = [],
        ["sqlite"] = [],
        ["storage"] = ["metering", "sqlite"],
        ["defaults"] = ["contracts", "metering", "storage"],
        ["eventformats"] = ["contracts", "metering", "defaults"],
        ["ingest"] = [.. Shared, "eventformats"],
        ["aggregator"] = Shared,
        ["pusher"] = Shared,
        ["pricing"] = Shared,
        ["gateway"] = [.. Shared, "eventfiles", "eventformats"],
        ["eventfiles"] = ["metering"],
        // It speaks REST; the first keys it makes in the store, as nobody can ask for them yet.
        ["cli"] = ["metering", "eventfiles", "storage", "defaults"],
        ["stripedriver"] = ["contracts"],
        ["localdapr"] = ["sqlite"],
        ["stripedouble"] = ["sqlite"],
        ["local"] = [.. Shared, "ingest", "aggregator", "pusher", "pricing", "gateway", "eventformats", "localdapr", "stripedouble"],
    };

    /// <summary>By folder: the only packages (or assemblies of the framework) it may be compiled against, by prefix. Others are free.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<string>> MayUse { get; } = new Dictionary<string, IReadOnlyList<string>>
    {
        ["metering"] = ["System."],
        ["contracts"] = ["System.", "Google.Protobuf", "Grpc."],
    };

    /// <summary>By prefix of an assembly: the only folders that may be compiled against it.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<string>> UsedBy { get; } = new Dictionary<string, IReadOnlyList<string>>
    {
        // Services reach their data through the ports only.
        ["MongoDB."] = ["storage"],
        ["Microsoft.Data.Sqlite"] = ["sqlite", "storage", "localdapr", "stripedouble"],
        // Services use the Dapr SDK and nothing below it.
        ["Dapr.Protos"] = ["localdapr"],
        // The double knows Stripe from its documentation, not from its client.
        ["Stripe.net"] = ["pusher", "pricing"],
    };
}
