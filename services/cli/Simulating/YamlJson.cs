using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace StripeMeter.Cli.Simulating;

/// <summary>A YAML document as JSON, so that both forms of a file are read by the same code. Numbers stay digit for digit.</summary>
internal static class YamlJson
{
    /// <summary>Nodes of a document, with what its aliases repeat.</summary>
    private const int MaximumNodes = 100_000;

    /// <exception cref="FormatException">The text is no single YAML document, or too large.</exception>
    public static JsonNode? Read(string text)
    {
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            var left = MaximumNodes;
            return stream.Documents is [var only] ? ToJson(only.RootNode, ref left) : throw new FormatException("must hold one YAML document");
        }
        catch (YamlException problem)
        {
            throw new FormatException($"is not YAML: line {problem.Start.Line}, column {problem.Start.Column}: {problem.Message}", problem);
        }
    }

    private static JsonNode? ToJson(YamlNode node, ref int left)
    {
        if (--left < 0)
            throw new FormatException($"has more than {MaximumNodes} values");
        switch (node)
        {
            case YamlMappingNode mapping:
                var members = new JsonObject();
                foreach (var (key, value) in mapping.Children)
                    members[(key as YamlScalarNode)?.Value ?? throw new FormatException("has a key that is no text")] = ToJson(value, ref left);
                return members;
            case YamlSequenceNode sequence:
                var items = new JsonArray();
                foreach (var item in sequence.Children)
                    items.Add(ToJson(item, ref left));
                return items;
            default:
                return ToJson((YamlScalarNode)node);
        }
    }

    /// <summary>Quoted scalars are text. Others are what JSON would take them for, and text if it takes them for nothing.</summary>
    private static JsonNode? ToJson(YamlScalarNode scalar)
    {
        var text = scalar.Value ?? "";
        if (scalar.Style is not (ScalarStyle.Plain or ScalarStyle.Any))
            return JsonValue.Create(text);
        return text switch
        {
            "" or "~" or "null" => null,
            "true" => JsonValue.Create(true),
            "false" => JsonValue.Create(false),
            _ when IsNumber(text) => JsonNode.Parse(text),
            _ => JsonValue.Create(text),
        };
    }

    private static bool IsNumber(string text)
    {
        if (!char.IsAsciiDigit(text[^1]) || !(char.IsAsciiDigit(text[0]) || text[0] == '-'))
            return false;
        try
        {
            return JsonNode.Parse(text) is JsonValue;
        }
        catch (System.Text.Json.JsonException)
        {
            return false;
        }
    }
}
