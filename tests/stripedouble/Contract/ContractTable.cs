using System.Text.Json.Nodes;

namespace StripeMeter.StripeDouble.Tests.Contract;

/// <summary>
/// Our own table of what Stripe takes and answers (<c>contract.json</c>), and what breaks it. Each row says how sure it is;
/// <c>assumed</c> is what Stripe's documentation was not asked about.
/// </summary>
internal sealed class ContractTable
{
    public static readonly string[] Marks = ["verified", "third-party", "inferred", "unverified", "assumed"];

    private readonly JsonObject _table = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Contract", "contract.json")))!.AsObject();
    private readonly ShapeRules _shapes;

    public ContractTable() => _shapes = new(_table["objects"]!.AsObject());

    public IReadOnlyList<ContractCall> Calls => [.. _table["calls"]!.AsArray().Select(static row => new ContractCall(row!.AsObject()))];

    public IReadOnlyList<ContractError> Errors => [.. _table["errors"]!.AsArray().Select(static row => new ContractError(row!.AsObject()))];

    /// <summary>Every row, by what it is about.</summary>
    public IEnumerable<(string About, JsonObject Row)> Rows =>
        _table.Where(static part => part.Value is JsonArray).SelectMany(static part => part.Value!.AsArray().Index(), static (part, row) => ($"{part.Key} {row.Index}", row.Item!.AsObject()))
            .Concat(_table["objects"]!.AsObject().Select(static kind => (kind.Key, kind.Value!.AsObject())));

    /// <summary>A call by <c>METHOD path</c>, as the table writes it.</summary>
    public ContractCall Call(string name) => Calls.Single(call => call.Name == name);

    /// <summary>The call that a request is.</summary>
    public ContractCall CallOf(string method, string path) => Calls.SingleOrDefault(call => call.Method == method && call.IsAt(path))
        ?? throw new ArgumentException($"The table has no {method} {path}.");

    /// <summary>Types of events.</summary>
    public IReadOnlyList<string> EventTypes => [.. Events.Select(static row => (string)row["type"]!)];

    private IEnumerable<JsonObject> Events => _table["events"]!.AsArray().Select(static row => row!.AsObject());

    /// <summary>Whether an event is delivered without its data.</summary>
    public bool IsThin(string type) => (string?)EventOf(type)["envelope"] == "v2.core.event";

    /// <summary>What is wrong with an event.</summary>
    /// <param name="found">The event.</param>
    /// <param name="part"><c>delivered</c>, or <c>fetched</c>, as thin ones are.</param>
    public IEnumerable<string> EventFaults(JsonObject found, string part)
    {
        var row = EventOf((string)found["type"]!);
        return _shapes.FaultsOf((string)row["envelope"]!, found).Concat(_shapes.FaultsOf(row[part]!.AsObject(), found));
    }

    private JsonObject EventOf(string type) => Events.SingleOrDefault(row => (string?)row["type"] == type)
        ?? throw new ArgumentException($"The table has no event {type}.");

    /// <summary>What is wrong with a request.</summary>
    public IEnumerable<string> Faults(string method, string path, IReadOnlyList<KeyValuePair<string, string>> parameters) =>
        CallOf(method, path).Faults(parameters);

    /// <summary>What is wrong with a reply.</summary>
    public IEnumerable<string> Faults(string method, string path, JsonObject reply)
    {
        var kind = CallOf(method, path).Reply;
        if (kind == "nothing")
            return reply.Count == 0 ? [] : ["it is something"];
        return kind.StartsWith("list of ", StringComparison.Ordinal) ? _shapes.ListFaults(kind["list of ".Length..], path, reply) : _shapes.FaultsOf(kind, reply);
    }
}
