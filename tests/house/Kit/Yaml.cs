using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;
using YamlDotNet.Serialization;

namespace StripeMeter.House.Tests.Kit;

/// <summary>A value of a YAML file, read by key. What is not there is empty, so that a test says what it expected instead of failing on the way.</summary>
internal sealed class Yaml
{
    private readonly object? _value;

    private Yaml(object? value) => _value = value;

    public Yaml this[string key] => new(_value is Dictionary<object, object> map && map.TryGetValue(key, out var value) ? value : null);

    public string? Text => _value as string;

    public IReadOnlyList<Yaml> Items => _value is List<object> list ? [.. list.Select(item => new Yaml(item))] : [];

    public IReadOnlyList<string> Texts => [.. Items.Select(item => item.Text ?? "")];

    public IReadOnlyList<string> Keys => _value is Dictionary<object, object> map ? [.. map.Keys.Cast<string>()] : [];

    /// <summary>Members whose value is a text.</summary>
    public IReadOnlyDictionary<string, string> Members => Keys.ToDictionary(key => key, key => this[key].Text ?? "");

    /// <summary>Reads the only document of a file, with its anchors and merges resolved.</summary>
    public static Yaml Load(string relativePath)
    {
        using var reader = new StringReader(Repository.Read(relativePath));
        var parser = new MergingParser(new Parser(reader));
        return new Yaml(new DeserializerBuilder().Build().Deserialize<object>(parser));
    }

    /// <summary>How many documents a file holds.</summary>
    public static int CountDocuments(string relativePath) => Stream(relativePath).Documents.Count;

    /// <summary>Scalars that YAML reads as something else than text.</summary>
    public static IEnumerable<string> NotTexts(string relativePath, string key) =>
        Stream(relativePath).Documents.SelectMany(document => document.AllNodes).OfType<YamlMappingNode>()
            .SelectMany(node => node.Children)
            .Where(child => child.Key is YamlScalarNode { Value: { } name } && name == key)
            .Select(child => child.Value).OfType<YamlScalarNode>()
            .Where(scalar => scalar.Style == ScalarStyle.Plain && IsNoText(scalar.Value!))
            .Select(scalar => scalar.Value!);

    private static bool IsNoText(string plain) =>
        plain is "" or "~" or "null" || bool.TryParse(plain, out _) || decimal.TryParse(plain, System.Globalization.CultureInfo.InvariantCulture, out _);

    private static YamlStream Stream(string relativePath)
    {
        using var reader = new StringReader(Repository.Read(relativePath));
        var stream = new YamlStream();
        stream.Load(reader);
        return stream;
    }
}
