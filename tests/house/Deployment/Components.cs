using StripeMeter.House.Tests.Kit;

namespace StripeMeter.House.Tests.Deployment;

/// <summary>A folder of Dapr resources as a sidecar would load it: the common files, with those of a variant in their place.</summary>
internal sealed class Components
{
    private const string Folder = "components";

    private Components(string variant)
    {
        var files = Directory.GetFiles(Repository.PathOf(Folder), "*.yaml").Select(file => $"{Folder}/{Path.GetFileName(file)}")
            .ToDictionary(file => Path.GetFileName(file)!);
        if (variant.Length > 0)
        {
            foreach (var file in Directory.GetFiles(Repository.PathOf($"{Folder}/{variant}"), "*.yaml"))
                files[Path.GetFileName(file)] = $"{Folder}/{variant}/{Path.GetFileName(file)}";
        }

        Variant = variant;
        Files = [.. files.Values.Order()];
    }

    public string Variant { get; }

    public IReadOnlyList<string> Files { get; }

    public IEnumerable<Yaml> OfKind(string kind) => Files.Select(Yaml.Load).Where(document => document["kind"].Text == kind);

    public Yaml Component(string name) => OfKind("Component").Single(component => component["metadata"]["name"].Text == name);

    /// <summary>Environment variables its files take values from.</summary>
    public IEnumerable<string> Variables() =>
        OfKind("Component").SelectMany(component => component["spec"]["metadata"].Items)
            .Select(entry => entry["envRef"].Text).OfType<string>().Distinct();

    public static string? Metadata(Yaml component, string name) =>
        component["spec"]["metadata"].Items.SingleOrDefault(entry => entry["name"].Text == name)?["value"].Text;

    public static Components Of(string variant) => new(variant);

    /// <summary>The common files alone, and with each variant.</summary>
    public static IReadOnlyList<string> Variants { get; } =
        ["", .. Directory.GetDirectories(Repository.PathOf(Folder)).Select(folder => Path.GetFileName(folder)!).Order()];
}
