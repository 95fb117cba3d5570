using StripeMeter.LocalDapr.PubSub;
using YamlDotNet.RepresentationModel;

namespace StripeMeter.LocalDapr.Resources;

/// <summary>
/// Reads the files daprd reads: components, subscriptions and resiliency from the resources paths, features from the
/// configuration files. A kind that is not supported is an error, so that nothing is believed to work that does not.
/// </summary>
public sealed class ResourceLoader
{
    private const string Version1 = "dapr.io/v1alpha1";
    private const string Version2 = "dapr.io/v2alpha1";

    private readonly string _appId;
    private readonly Func<string, string?> _environment;
    private readonly List<Component> _components = [];
    private readonly List<TopicSubscription> _subscriptions = [];
    private readonly HashSet<string> _features = new(StringComparer.Ordinal);
    private ResiliencyPolicies _resiliency = ResiliencyPolicies.None;

    private ResourceLoader(string appId, Func<string, string?> environment)
    {
        _appId = appId;
        _environment = environment;
    }

    /// <summary>Loads what concerns one app.</summary>
    /// <param name="appId">Replaces <c>{appID}</c> in metadata and decides about scopes.</param>
    /// <param name="resourcesPaths">Folders or files (<c>--resources-path</c>).</param>
    /// <param name="configurationFiles">Files (<c>--config</c>).</param>
    /// <param name="environment">Answers <c>envRef</c>; by default the environment of this process.</param>
    /// <exception cref="LocalDaprConfigurationException">A file cannot be read or holds what is not supported; the message names
    /// both.</exception>
    public static ResourceSet Load(string appId, IEnumerable<string> resourcesPaths, IEnumerable<string> configurationFiles,
        Func<string, string?>? environment = null)
    {
        var loader = new ResourceLoader(appId, environment ?? Environment.GetEnvironmentVariable);
        foreach (var file in resourcesPaths.SelectMany(FilesOf))
            loader.ReadFile(file);
        foreach (var file in configurationFiles)
            loader.ReadConfiguration(file);
        return new ResourceSet { Components = loader._components, Subscriptions = loader._subscriptions,
            Resiliency = loader._resiliency, Features = loader._features };
    }

    private static IEnumerable<string> FilesOf(string path)
    {
        if (File.Exists(path))
            return [path];
        if (!Directory.Exists(path))
            throw new LocalDaprConfigurationException($"resources path '{path}' does not exist");
        return Directory.EnumerateFiles(path).Where(static file => Path.GetExtension(file) is ".yaml" or ".yml")
            .Order(StringComparer.Ordinal);
    }

    private void ReadFile(string path)
    {
        var documents = YamlReading.Documents(path);
        foreach (var document in documents)
        {
            var kind = document.Text("kind");
            var version = document.Text("apiVersion");
            var scopes = document.Texts("scopes");
            var appliesHere = scopes.Count == 0 || scopes.Contains(_appId, StringComparer.Ordinal);
            switch (kind, version)
            {
                case ("Component", Version1):
                    if (appliesHere)
                        _components.Add(ReadComponent(path, document));
                    break;
                case ("Subscription", Version1 or Version2):
                    if (appliesHere)
                        _subscriptions.Add(ReadSubscription(path, document));
                    break;
                case ("Resiliency", Version1):
                    // daprd reads such a file as one document and would not see the others.
                    if (documents.Count > 1)
                        throw new LocalDaprConfigurationException($"{path}: a Resiliency needs a file of its own");
                    if (appliesHere)
                        _resiliency = ResiliencyReader.Read(path, document);
                    break;
                case ("Configuration", _):
                    break;
                default:
                    throw new LocalDaprConfigurationException($"{path}: kind '{kind}' of '{version}' is not supported; Component, Subscription and Resiliency are");
            }
        }
    }

    private Component ReadComponent(string path, YamlMappingNode document)
    {
        var spec = document.Map("spec");
        var name = document.Map("metadata").Text("name") ?? throw Missing(path, "metadata.name");
        return new Component
        {
            Name = name,
            Type = spec.Text("type") ?? throw Missing(path, "spec.type"),
            Version = spec.Text("version") ?? "v1",
            Metadata = spec.List("metadata").OfType<YamlMappingNode>()
                .ToDictionary(item => item.Text("name") ?? throw Missing(path, "metadata name"), item => ValueOf(path, name, item)),
            Scopes = document.Texts("scopes"),
        };
    }

    private string ValueOf(string path, string component, YamlMappingNode item)
    {
        if (item.Child("secretKeyRef") is not null)
            throw new LocalDaprConfigurationException($"{path}: component '{component}' takes '{item.Text("name")}' from a secret store, which is not supported; use value or envRef");
        if (item.Text("envRef") is { } variable)
        {
            if (variable.StartsWith("DAPR_", StringComparison.Ordinal) || variable == "APP_API_TOKEN")
                throw new LocalDaprConfigurationException($"{path}: component '{component}' refers to '{variable}', which Dapr does not allow");
            return _environment(variable) ?? "";
        }

        return (item.Text("value") ?? "").Replace("{appID}", _appId, StringComparison.Ordinal)
            .Replace("{uuid}", Guid.NewGuid().ToString(), StringComparison.Ordinal).Replace("{namespace}", "", StringComparison.Ordinal);
    }

    private static TopicSubscription ReadSubscription(string path, YamlMappingNode document)
    {
        var spec = document.Map("spec");
        if (spec.Map("routes").List("rules").Any())
            throw new LocalDaprConfigurationException($"{path}: routing rules (CEL) are not supported; use routes.default");
        var metadata = spec.Map("metadata").Members().ToDictionary(static member => member.Name, static member => member.Value.ToString());
        var bulk = spec.Map("bulkSubscribe");
        var defaults = new BulkSubscription();
        return new TopicSubscription
        {
            PubSubName = spec.Text("pubsubname") ?? throw Missing(path, "spec.pubsubname"),
            Topic = spec.Text("topic") ?? throw Missing(path, "spec.topic"),
            Route = SubscriptionParser.Rooted(spec.Map("routes").Text("default") ?? spec.Text("route")
                ?? throw Missing(path, "spec.routes.default")),
            DeadLetterTopic = spec.Text("deadLetterTopic"),
            Metadata = metadata,
            RawPayload = metadata.TryGetValue("rawPayload", out var raw) && bool.TryParse(raw, out var yes) && yes,
            Bulk = bulk.IsTrue("enabled")
                ? new BulkSubscription { MaximumMessages = bulk.Number("maxMessagesCount") ?? defaults.MaximumMessages,
                    MaximumAwaitMs = bulk.Number("maxAwaitDurationMs") ?? defaults.MaximumAwaitMs }
                : null,
            Scopes = document.Texts("scopes"),
            IsDeclarative = true,
        };
    }

    private void ReadConfiguration(string path)
    {
        foreach (var document in YamlReading.Documents(path).Where(static document => document.Text("kind") == "Configuration"))
        {
            foreach (var feature in document.Map("spec").List("features").OfType<YamlMappingNode>()
                .Where(static feature => feature.IsTrue("enabled")))
                _features.Add(feature.Text("name") ?? throw Missing(path, "the name of a feature"));
        }
    }

    private static LocalDaprConfigurationException Missing(string path, string what) => new($"{path}: {what} is missing");
}
