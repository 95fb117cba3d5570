using System.Text.Json.Nodes;

namespace StripeMeter.StripeDouble.Tests.Contract;

/// <summary>A call of the table: what it takes, and an example of all that.</summary>
internal sealed class ContractCall(JsonObject row)
{
    public string Name => $"{Method} {Path}";

    public string Method => (string)row["method"]!;

    public string Path => (string)row["path"]!;

    /// <summary>What stands in the path's open place; empty where there is none.</summary>
    public string Id => (string?)row["id"] ?? "";

    /// <summary>What it bears in the place of a key; null for a key.</summary>
    public string? Key => (string?)row["key"];

    /// <summary>The version it needs; null for the newest.</summary>
    public string? Version => (string?)row["version"];

    public string Reply => (string)row["reply"]!;

    public bool IsV2 => Path.StartsWith("/v2/", StringComparison.Ordinal);

    public IReadOnlyList<ParameterRule> Rules => [.. row["parameters"]!.AsObject().Select(static rule => new ParameterRule(rule.Key, rule.Value!.AsObject()))];

    /// <summary>A complete request: all parameters that can stand together.</summary>
    public SortedDictionary<string, string> Example()
    {
        var example = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in Rules.SelectMany(static rule => rule.Examples))
            example.Add(name, value);
        return example;
    }

    /// <summary>The same call with another path, or another id in it; null keeps what there is.</summary>
    public ContractCall At(string? path, string? id)
    {
        var moved = row.DeepClone().AsObject();
        moved["path"] = path ?? Path;
        moved["id"] = id ?? Id;
        return new ContractCall(moved);
    }

    public bool IsAt(string path)
    {
        var (expected, found) = (Path.Split('/'), path.Split('/'));
        return expected.Length == found.Length && expected.Zip(found).All(static pair => pair.First == "{id}" || pair.First == pair.Second);
    }

    /// <summary>What is wrong with a request.</summary>
    public IEnumerable<string> Faults(IReadOnlyList<KeyValuePair<string, string>> parameters)
    {
        var rules = Rules;
        var unknown = parameters.Where(parameter => !rules.Any(rule => rule.Matches(parameter.Key))).Select(static parameter => $"{parameter.Key} is unknown");
        return rules.SelectMany(rule => rule.Faults(parameters)).Concat(unknown);
    }
}
