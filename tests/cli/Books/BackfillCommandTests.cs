using System.Text.Json.Nodes;
using StripeMeter.Cli.Tests.Kit;
using Xunit;

namespace StripeMeter.Cli.Tests.Books;

public sealed class BackfillCommandTests(RunningSystem system)
{
    private const string Csv = "customer,meter,qty,ts,id\nc,m,0.1,2026-01-02T00:00:00Z,a\nc,m,0.2,2026-01-03T00:00:00Z,b\nc,m,0.2,2026-01-03T00:00:00Z,b\n";

    [Fact]
    public async Task Import_AFile_CountsItAndListsIt()
    {
        var imported = await system.RunAsync(Csv, "backfill", "import", "-", "--format", "csv", "--tenant", "bf-import", "--reason", "lost week", "-o", "json");

        Assert.Equal((0, ""), (imported.Code, imported.Error));
        Assert.Equal(("completed", 2), ((string)imported.Json["status"]!, (int)imported.Json["acceptedEvents"]!));
        Assert.Equal(2, (await system.EventsAsync("bf-import")).Count);
        var listed = await system.RunAsync("", "backfill", "list", "--tenant", "bf-import");
        Assert.Contains("completed", listed.Out, StringComparison.Ordinal);
        Assert.Contains("lost week", listed.Out, StringComparison.Ordinal);
        Assert.Contains("1 in all", listed.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Import_HeldPreviewedCommittedReverted_GoesStepByStep()
    {
        string[] tenant = ["--tenant", "bf-steps"];
        var held = await system.RunAsync(Csv, ["backfill", "import", "-", "--format", "csv", "--reason", "r", "--hold", "-o", "json", .. tenant]);
        var id = (string)held.Json["id"]!;
        Assert.Equal(0, held.Code);
        Assert.Empty(await system.EventsAsync("bf-steps"));

        var preview = await system.RunAsync("", ["backfill", "preview", id, .. tenant]);
        Assert.Contains("2 events would be appended", preview.Out, StringComparison.Ordinal);
        Assert.Matches(@"m\s+c\s+2026-01-01T00:00:00Z\s+0\s+0\.3\s+2", preview.Out);

        var committed = await system.RunAsync("", ["backfill", "commit", id, .. tenant]);
        Assert.Equal(0, committed.Code);
        Assert.Equal(2, (await system.EventsAsync("bf-steps")).Count);
        var reverted = await system.RunAsync("", ["backfill", "revert", id, "--note", "wrong", .. tenant]);
        Assert.Contains("keys", reverted.Out, StringComparison.Ordinal);
        var shown = await system.RunAsync("", ["backfill", "show", id, .. tenant]);
        Assert.Contains("wrong", shown.Out, StringComparison.Ordinal);
        var again = await system.RunAsync("", ["backfill", "commit", id, .. tenant]);
        Assert.Equal(1, again.Code);
        Assert.Contains("taken back", again.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Import_RowsThatBreakRules_AreToldByLine()
    {
        const string lines = """
            {"metric":"m","customerRef":"c","quantity":1,"ts":"2026-01-02T00:00:00Z","idempotencyKey":"k1"}
            {"metric":"m","customerRef":"c","quantity":1,"ts":"2026-02-02T00:00:00Z","idempotencyKey":"k2"}
            {"tenantId":"other","metric":"m","customerRef":"c","quantity":1,"ts":"2026-01-02T00:00:00Z","idempotencyKey":"k3"}
            """;
        var result = await system.RunAsync(
            lines, "backfill", "import", "-", "--format", "jsonl", "--tenant", "bf-bad", "--reason", "r", "--from", "2026-01-01", "--to", "2026-01-31");

        Assert.Equal(1, result.Code);
        Assert.Contains("line 2: error: ts must be from 2026-01-01T00:00:00Z to before 2026-02-01T00:00:00Z", result.Error, StringComparison.Ordinal);
        Assert.Contains("line 3: error: tenantId must be 'bf-bad'", result.Error, StringComparison.Ordinal);
        Assert.Single(await system.EventsAsync("bf-bad"));
    }

    [Fact]
    public async Task Import_FileThatBreaksOff_CountsNothingAndCanBeGoneOnWith()
    {
        var broken = "metric,customerRef,quantity,ts,id\nm,c,1,2026-01-02T00:00:00Z,a\nm,\"c,1,2026-01-02T00:00:00Z,b\n" + new string('x', 300_000);
        var result = await system.RunAsync(broken, "backfill", "import", "-", "--format", "csv", "--tenant", "bf-broken", "--reason", "r");
        Assert.Equal(1, result.Code);
        Assert.Empty(await system.EventsAsync("bf-broken"));
        var id = (string)(await ListedAsync("bf-broken"))["id"]!;
        Assert.Contains($"--into {id}", result.Error, StringComparison.Ordinal);

        const string whole = "metric,customerRef,quantity,ts,id\nm,c,1,2026-01-02T00:00:00Z,a\nm,c,1,2026-01-02T00:00:00Z,b\n";
        var resumed = await system.RunAsync(whole, "backfill", "import", "-", "--format", "csv", "--tenant", "bf-broken", "--into", id);

        Assert.Equal(0, resumed.Code);
        Assert.Equal(2, (await system.EventsAsync("bf-broken")).Count);
    }

    [Fact]
    public async Task Import_DryRunOrWithoutAReason_AppendsNothing()
    {
        var dry = await system.RunAsync(Csv, "backfill", "import", "-", "--format", "csv", "--tenant", "bf-dry", "--reason", "r", "--dry-run", "-o", "json");
        var unreasoned = await system.RunAsync(Csv, "backfill", "import", "-", "--format", "csv", "--tenant", "bf-dry");

        Assert.Equal((0, 2), (dry.Code, (int)dry.Json["acceptedEvents"]!));
        Assert.Equal(2, unreasoned.Code);
        Assert.Contains("--reason", unreasoned.Error, StringComparison.Ordinal);
        Assert.Empty(await system.EventsAsync("bf-dry"));
    }

    private async Task<JsonNode> ListedAsync(string tenant) =>
        (await system.RunAsync("", "backfill", "list", "--tenant", tenant, "-o", "json")).Json["operations"]![0]!;
}
