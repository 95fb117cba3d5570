using System.Globalization;
using StripeMeter.Cli.Tests.Kit;
using StripeMeter.Kits.Waiting;
using Xunit;

namespace StripeMeter.Cli.Tests.Books;

/// <summary>replay, adjust, explain and audit, against the running system.</summary>
public sealed class BooksCommandTests(RunningSystem system)
{
    [Fact]
    public async Task Adjust_CreatedApprovedReverted_InEitherSpelling()
    {
        string[] tenant = ["--tenant", "ad-steps"];
        var created = await system.RunAsync(
            "", ["adjust", "create", "--metric", "m", "--customer", "c", "--period", "2026-01-01", "--delta", "-12.5", "--reason", "credit", "--note", "outage", "-o", "json", .. tenant]);
        Assert.Equal((0, ""), (created.Code, created.Error));
        var id = (string)created.Json["id"]!;

        var approved = await system.RunAsync("", ["adjust", "approve", id, .. tenant]);
        Assert.Equal(0, approved.Code);
        var again = await system.RunAsync("", ["adjustments:approve", id, .. tenant]);
        Assert.Contains("already", again.Out, StringComparison.Ordinal);
        var listed = await system.RunAsync("", ["adjust", "list", "--status", "approved", .. tenant]);
        Assert.Matches(@"approved\s+credit\s+m\s+c\s+-12\.5", listed.Out);
        Assert.Equal(0, (await system.RunAsync("", ["adjust", "revert", id, "--note", "no", .. tenant])).Code);

        var refused = await system.RunAsync("", ["adjust", "approve", id, "none", .. tenant]);
        Assert.Equal(1, refused.Code);
        Assert.Contains("Already reverted", refused.Error, StringComparison.Ordinal);
        Assert.Contains("none: ", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Adjust_WithoutWhatItNeeds_SaysWhat()
    {
        var incomplete = await system.RunAsync("", "adjust", "create", "--tenant", "ad-bad");
        var wrong = await system.RunAsync(
            "", "adjust", "create", "--tenant", "ad-bad", "--metric", "m", "--customer", "c", "--period", "2026-13-01", "--delta", "x", "--reason", "credit");

        Assert.Equal(2, incomplete.Code);
        Assert.Contains("--delta", incomplete.Error, StringComparison.Ordinal);
        Assert.Equal(1, wrong.Code);
        Assert.Contains("periodStart", wrong.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replay_DryRunThenApply_SaysWhatItDoes()
    {
        await IngestLateAsync("rp", 3);

        var dry = await system.RunAsync("", "replay", "--tenant", "rp", "--since", "-P40D");
        Assert.Matches(@"m\s+3\s+3\s+0\.3", dry.Out);
        Assert.Contains("Nothing was changed", dry.Out, StringComparison.Ordinal);
        var applied = await system.RunAsync("", "replay", "--tenant", "rp", "--metric", "m", "--apply", "-o", "json");
        Assert.Equal((0, 3), (applied.Code, (int)applied.Json["applied"]!));
        Assert.Equal("0.3", applied.Json["changes"]!["m"]!["counterDelta"]!.ToJsonString());
        Assert.Equal(0, (int)(await system.RunAsync("", "replay", "--tenant", "rp", "--apply", "-o", "json")).Json["applied"]!);
        Assert.Equal(2, (await system.RunAsync("", "replay", "--tenant", "rp", "--apply", "--dry-run")).Code);
    }

    [Fact]
    public async Task Explain_EventAndCounter_LeadToEachOther()
    {
        await IngestLateAsync("ex", 2);

        var explained = await system.RunAsync("", "explain", "event", "late/0", "--tenant", "ex");
        Assert.Equal(0, explained.Code);
        Assert.Contains("held, does not count", explained.Out, StringComparison.Ordinal);
        Assert.Contains("no meter is told of this counter", explained.Out, StringComparison.Ordinal);
        var counter = await system.RunAsync("", "explain", "counter", "--tenant", "ex", "--metric", "m", "--customer", "c", "--at", Late.ToString("O", CultureInfo.InvariantCulture));
        Assert.Matches(@"0\.1\s+held\s+no\s+late/1", counter.Out);
        var none = await system.RunAsync("", "explain", "event", "none", "--tenant", "ex");
        Assert.Equal(1, none.Code);
        Assert.Contains("does not exist", none.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Audit_OfCounters_AgreesWithTheLedger()
    {
        var now = TimeProvider.System.GetUtcNow().ToString("O", CultureInfo.InvariantCulture);
        var csv = string.Concat(Enumerable.Range(0, 3).Select(number => $"c{number},m,1,{now},k{number}\n"));
        await system.RunAsync("customer,meter,qty,ts,id\n" + csv, "ingest", "-", "--format", "csv", "--tenant", "au");

        CommandResult? audit = null;
        await Patience.UntilAsync(
            async () => (int)(audit = await system.RunAsync("", "audit", "--tenant", "au", "-o", "json")).Json["matching"]! == 3, "three counters are counted");

        Assert.Equal(0, audit!.Code);
        Assert.Empty(audit.Json["mismatches"]!.AsArray());
        Assert.Contains("3 counters are what the ledger says", (await system.RunAsync("", "audit", "--tenant", "au")).Out, StringComparison.Ordinal);
    }

    private static readonly DateTimeOffset Late = TimeProvider.System.GetUtcNow().AddHours(-60);

    private async Task IngestLateAsync(string tenant, int count)
    {
        var moment = Late.ToString("O", CultureInfo.InvariantCulture);
        var csv = string.Concat(Enumerable.Range(0, count).Select(number => $"c,m,0.1,{moment},late/{number}\n"));
        var ingested = await system.RunAsync("customer,meter,qty,ts,id\n" + csv, "ingest", "-", "--format", "csv", "--tenant", tenant);
        Assert.Equal(0, ingested.Code);
    }
}
