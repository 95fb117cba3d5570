using System.Text.Json.Nodes;
using StripeMeter.Metering.Pricing.Scenarios;

namespace StripeMeter.Cli.Simulating;

/// <summary>What the commands say to programs.</summary>
internal static class SimulationJson
{
    public static JsonObject OfRuns(IReadOnlyList<ScenarioRun> runs) => new()
    {
        ["summary"] = Summary(runs),
        ["results"] = new JsonArray([.. runs.Select(run => run.Result is { } result
            ? WithFile(run, ScenarioJson.Of(result)) : WithFile(run, new JsonObject { ["errors"] = Problems(run) }))]),
    };

    public static JsonObject OfReport(IReadOnlyList<ScenarioRun> runs) => new()
    {
        ["summary"] = Summary(runs),
        ["results"] = new JsonArray([.. runs.Select(run => new JsonObject
        {
            ["scenario"] = run.Name,
            ["file"] = run.Path,
            ["diffs"] = run.Result is { } result ? ScenarioJson.Of(result.Differences) : new JsonArray(),
            ["errors"] = Problems(run),
        })]),
    };

    public static JsonArray OfValidation(IReadOnlyList<ScenarioRun> runs) =>
        new([.. runs.Select(run => new JsonObject { ["file"] = run.Path, ["valid"] = run.Result is not null, ["errors"] = Problems(run) })]);

    private static JsonObject Summary(IReadOnlyList<ScenarioRun> runs) => new()
    {
        ["total"] = runs.Count,
        ["diffs"] = runs.Count(run => run.Result is { Passed: false }),
        ["errors"] = runs.Count(run => run.Result is null),
        ["ok"] = runs.Count(run => run.IsFine),
    };

    private static JsonObject WithFile(ScenarioRun run, JsonObject json)
    {
        json.Insert(0, "file", run.Path);
        return json;
    }

    private static JsonArray Problems(ScenarioRun run) =>
        new([.. run.Problems.Select(problem => new JsonObject { ["field"] = problem.Path, ["reason"] = problem.Reason })]);
}
