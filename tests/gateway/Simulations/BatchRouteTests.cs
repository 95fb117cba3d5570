using System.Net;
using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using StripeMeter.Gateway.Tests.Kit;
using StripeMeter.V1;
using Xunit;

namespace StripeMeter.Gateway.Tests.Simulations;

/// <summary>How a batch stands is what its runs say, and what is refused before any is started.</summary>
public sealed class BatchRouteTests(RunningGateway gateway) : IClassFixture<RunningGateway>
{
    [Theory]
    [InlineData(0, "Pending Completed", "running", "50", false)]
    [InlineData(0, "Running", "running", "0", false)]
    [InlineData(0, "Completed Completed", "completed", "100", true)]
    [InlineData(0, "Failed Failed", "failed", "0", true)]
    [InlineData(0, "Completed Failed Completed", "partial", "66.67", true)]
    [InlineData(1, "Completed", "partial", "100", true)]
    [InlineData(1, "Failed", "partial", "0", true)]
    [InlineData(1, "Pending", "running", "0", false)]
    [InlineData(2, "", "partial", null, false)]
    public async Task Get_SaysWhatTheRunsSay(int dropped, string statuses, string status, string? successRate, bool hasEnd)
    {
        var runs = statuses.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => RunOf(System.Enum.Parse<RunStatus>(word))).ToList();
        var batch = new SimulationBatch { Id = "b", TenantId = "acme", CreateTime = TimeOf(1) };
        batch.RunIds.AddRange(Enumerable.Range(0, dropped + runs.Count).Select(number => $"run {number}"));
        gateway.Backend.Batch = _ => new GetBatchResponse { Batch = batch, Runs = { runs } };

        var answer = (await gateway.GetAsync("/v1/simulations/batch/b?tenantId=acme")).Json;

        var summary = answer.GetProperty("summary");
        Assert.Equal(status, answer.GetProperty("status").GetString());
        Assert.Equal((batch.RunIds.Count, dropped), (Count("totalRuns"), Count("dropped")));
        Assert.Equal(runs.Count, Count("completed") + Count("failed") + Count("pending") + Count("running"));
        Assert.Equal(successRate, TextOf(summary, "successRate"));
        Assert.Equal(hasEnd ? "\"2026-01-01T00:00:03Z\"" : null, TextOf(answer, "completedAt"));

        int Count(string name) => summary.GetProperty(name).GetInt32();
    }

    [Theory]
    [InlineData("""{"name":"n","scenarioIds":["a"]}""", "tenantId is required")]
    [InlineData("""{"tenantId":"acme","scenarioIds":["a"]}""", "name is required")]
    [InlineData("""{"tenantId":"acme","name":5,"scenarioIds":["a"]}""", "name must be")]
    [InlineData("""{"tenantId":"acme","name":"n","scenarioIds":"a"}""", "scenarioIds must be a list of strings")]
    [InlineData("""{"tenantId":"acme","name":"n","scenarioIds":["a",null]}""", "scenarioIds must be a list of strings")]
    [InlineData("""{"tenantId":"acme","name":"n","scenarioIds":["a"],"scenarios":[]}""", "scenarios is not known")]
    [InlineData("[]", "body must be")]
    public async Task Post_ThatMakesNoSense_IsRefusedByName(string body, string problem)
    {
        var answer = await gateway.PostAsync("/v1/simulations/batch", body);
        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Contains(problem, answer.Text, StringComparison.Ordinal);
    }

    private static SimulationRun RunOf(RunStatus status)
    {
        var run = new SimulationRun { Id = "r", ScenarioId = "s", Status = status, CreateTime = TimeOf(1) };
        if (status is RunStatus.Completed or RunStatus.Failed)
            run.EndTime = TimeOf(3);
        return run;
    }

    private static Timestamp TimeOf(int second) => Timestamp.FromDateTime(new DateTime(2026, 1, 1, 0, 0, second, DateTimeKind.Utc));

    private static string? TextOf(JsonElement answer, string name) => answer.TryGetProperty(name, out var value) ? value.GetRawText() : null;
}
