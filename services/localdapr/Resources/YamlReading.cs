using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace StripeMeter.LocalDapr.Resources;

/// <summary>Reads YAML by key, with errors that name the file.</summary>
internal static class YamlReading
{
    /// <summary>The documents of a file; empty ones are left out.</summary>
    public static IReadOnlyList<YamlMappingNode> Documents(string path)
    {
        try
        {
            using var reader = new StreamReader(path);
            var stream = new YamlStream();
            stream.Load(reader);
            return [.. stream.Documents.Select(static document => document.RootNode).OfType<YamlMappingNode>()];
        }
        catch (YamlException failure)
        {
            throw new LocalDaprConfigurationException($"{path}: {failure.Message}");
        }
        catch (IOException failure)
        {
            throw new LocalDaprConfigurationException(failure.Message);
        }
    }

    public static YamlNode? Child(this YamlMappingNode? node, string key) =>
        node is not null && node.Children.TryGetValue(new YamlScalarNode(key), out var child) ? child : null;

    public static YamlMappingNode? Map(this YamlMappingNode? node, string key) => node.Child(key) as YamlMappingNode;

    public static string? Text(this YamlMappingNode? node, string key) => (node.Child(key) as YamlScalarNode)?.Value;

    public static IEnumerable<YamlNode> List(this YamlMappingNode? node, string key) => node.Child(key) as YamlSequenceNode ?? [];

    public static IReadOnlyList<string> Texts(this YamlMappingNode? node, string key) =>
        [.. node.List(key).OfType<YamlScalarNode>().Select(static item => item.Value ?? "")];

    /// <summary>The members of a mapping, by name.</summary>
    public static IEnumerable<(string Name, YamlNode Value)> Members(this YamlMappingNode? node) =>
        node is null ? [] : node.Children.Select(static pair => (((YamlScalarNode)pair.Key).Value ?? "", pair.Value));

    public static int? Number(this YamlMappingNode? node, string key) =>
        node.Text(key) is not { } text ? null
        : int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var number) ? number
        : throw new LocalDaprConfigurationException($"{key} is '{text}', which is not a number");

    public static bool IsTrue(this YamlMappingNode? node, string key) =>
        node.Text(key) is { } text && bool.TryParse(text, out var value) && value;
}
