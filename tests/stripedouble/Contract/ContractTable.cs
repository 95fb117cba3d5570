using System.Text.Json;
using System.Text.Json.Nodes;

namespace StripeMeter.StripeDouble.Tests.Contract;

/// <summary>Our own table of what Stripe takes and answers (<c>contract.json</c>), and what breaks it.</summary>
internal sealed class ContractTable
{
    private readonly JsonObject _table = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Contract", "contract.json")))!.AsObject();

    /// <summary>Every call as <c>METHOD path</c>.</summary>
    public IReadOnlyList<string> Calls => [.. _table["calls"]!.AsArray().Select(static call => $"{call!["method"]} {call["path"]}")];

    /// <summary>The call that a request is, as <c>METHOD path</c>.</summary>
    public string CallOf(string method, string path) => $"{method} {Rule(method, path)["path"]}";

    /// <summary>What is wrong with a request.</summary>
    public IEnumerable<string> Faults(string method, string path, IReadOnlyList<KeyValuePair<string, string>> parameters)
    {
        var rules = Rule(method, path)["parameters"]!.AsObject();
        foreach (var (name, rule) in rules)
        {
            if ((bool?)rule!["required"] == true && !parameters.Any(parameter => Matches(name, parameter.Key)))
                yield return $"{name} is missing";
        }

        foreach (var (name, value) in parameters)
        {
            if (rules.FirstOrDefault(rule => Matches(rule.Key, name)).Value is not JsonObject rule)
            {
                yield return $"{name} is unknown";
                continue;
            }

            if ((int?)rule["maximum"] is { } maximum && value.Length > maximum)
                yield return $"{name} has more than {maximum} characters";
            if ((bool?)rule["integer"] == true && !long.TryParse(value, out _))
                yield return $"{name} is no integer";
            if (rule["oneOf"] is JsonArray words && words.All(word => (string?)word != value))
                yield return $"{name} is none of {words.ToJsonString()}";
        }
    }

    /// <summary>What is wrong with a reply.</summary>
    public IEnumerable<string> Faults(string method, string path, JsonObject reply)
    {
        var kind = (string)Rule(method, path)["reply"]!;
        if (kind == "nothing")
            return reply.Count == 0 ? [] : ["it is something"];
        if (!kind.StartsWith("list of ", StringComparison.Ordinal))
            return FaultsOf(kind, reply);
        var isList = (string?)reply["object"] == "list" && (string?)reply["url"] == path && reply["has_more"]?.GetValueKind() is JsonValueKind.True or JsonValueKind.False;
        return isList ? reply["data"]!.AsArray().SelectMany(item => FaultsOf(kind["list of ".Length..], item!.AsObject())) : ["it is no list"];
    }

    private IEnumerable<string> FaultsOf(string kind, JsonObject reply)
    {
        if ((string?)reply["object"] != kind)
            yield return $"it is a {reply["object"]}, not a {kind}";
        foreach (var (path, type) in _table["objects"]![kind]!.AsObject())
        {
            JsonNode? node = reply;
            foreach (var name in path.Split('.'))
                node = node?[name];
            var found = node?.GetValueKind() switch
            {
                null => "null",
                JsonValueKind.True or JsonValueKind.False => "boolean",
                var other => other.ToString()!.ToLowerInvariant(),
            };
            if (!((string)type!).Split(" or ").Contains(found))
                yield return $"{path} is {found}, not {type}";
        }
    }

    private JsonObject Rule(string method, string path) => _table["calls"]!.AsArray().Select(static call => call!.AsObject())
        .SingleOrDefault(call => (string?)call["method"] == method && IsPath((string)call["path"]!, path))
        ?? throw new ArgumentException($"The table has no {method} {path}.");

    private static bool IsPath(string pattern, string path)
    {
        var (expected, found) = (pattern.Split('/'), path.Split('/'));
        return expected.Length == found.Length && expected.Zip(found).All(static pair => pair.First == "{id}" || pair.First == pair.Second);
    }

    /// <summary>A star in a rule stands for any key of a map.</summary>
    private static bool Matches(string rule, string name) => rule == name
        || (rule.EndsWith("[*]", StringComparison.Ordinal) && name.StartsWith(rule[..^2], StringComparison.Ordinal));
}
