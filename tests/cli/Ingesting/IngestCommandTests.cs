using StripeMeter.Cli.Tests.Kit;
using Xunit;

namespace StripeMeter.Cli.Tests.Ingesting;

public sealed class IngestCommandTests(RunningSystem system)
{
    private const string Csv = """
        customer,meter,qty,ts,id,meta
        cus_1,calls,0.1,2026-11-01T10:00:00Z,a,
        cus_1,calls,0.20,2026-11-01T10:00:00+01:00,b,"{""note"":""a, b""}"
        """;

    [Fact]
    public async Task Ingest_CsvFromStandardInput_StoresEveryRow()
    {
        var result = await system.RunAsync(Csv, "ingest", "-", "--format", "csv", "--tenant", "cli-csv", "--output", "json");

        Assert.Equal((0, ""), (result.Code, result.Error));
        Assert.Equal(2, (int)result.Json["accepted"]!);
        var events = await system.EventsAsync("cli-csv");
        Assert.Equal(["0.1", "0.2"], events.Select(item => item["quantity"]!.ToJsonString()).Order());
        Assert.Contains(events, item => (string)item["meta"]! == """{"note":"a, b"}""" && (string)item["timestamp"]! == "2026-11-01T09:00:00Z");
        Assert.All(events, item => Assert.Equal("import", (string)item["source"]!));
    }

    [Fact]
    public async Task Ingest_TheSameFileAgain_AnswersDuplicatesAndSucceeds()
    {
        await system.RunAsync(Csv, "ingest", "-", "--format", "csv", "--tenant", "cli-again");
        var again = await system.RunAsync(Csv, "ingest", "-", "--format", "csv", "--tenant", "cli-again", "-o", "json");

        Assert.Equal(0, again.Code);
        Assert.Equal((0, 2), ((int)again.Json["accepted"]!, (int)again.Json["duplicates"]!));
    }

    [Fact]
    public async Task Ingest_JsonLinesInSmallBatches_KeepsEveryDigit()
    {
        var lines = string.Join('\n', Enumerable.Range(0, 7).Select(index =>
            $$"""{"tenantId":"cli-jsonl","metric":"m","customerRef":"c","quantity":99999999999999{{index}}.000000000001,"ts":"2026-11-02T00:00:0{{index}}Z"}"""));
        var result = await system.RunAsync(lines, "ingest", "-", "--format", "jsonl", "--batch-size", "2", "--concurrency", "3");

        Assert.Equal(0, result.Code);
        var quantities = (await system.EventsAsync("cli-jsonl")).Select(item => item["quantity"]!.ToJsonString()).Order();
        Assert.Equal(Enumerable.Range(0, 7).Select(index => $"99999999999999{index}.000000000001"), quantities);
    }

    [Fact]
    public async Task Ingest_RowsThatBreakRules_AreToldByLineAndTheOthersStored()
    {
        const string lines = """
            {"metric":"m","customerRef":"c","quantity":1,"ts":"2026-11-02T00:00:00Z","idempotencyKey":"k1"}
            not json

            {"metric":"m","customerRef":"c","quantity":-1,"ts":"2026-11-02T00:00:00Z","idempotencyKey":"k2"}
            {"metric":"m","customerRef":"c","quantity":2,"ts":"2026-11-02T00:00:00Z","idempotencyKey":"k1"}
            """;
        var result = await system.RunAsync(lines, "ingest", "-", "--format", "jsonl", "--tenant", "cli-bad");

        Assert.Equal(1, result.Code);
        Assert.Contains("line 2: error: event is not JSON", result.Error, StringComparison.Ordinal);
        Assert.Contains("line 4: error: quantity must be greater than 0", result.Error, StringComparison.Ordinal);
        Assert.Contains("line 5: conflict: idempotencyKey names another event", result.Error, StringComparison.Ordinal);
        Assert.Contains("ROWS  ACCEPTED  LATE  DUPLICATES  CONFLICTS  ERRORS\n   4         1", result.Out, StringComparison.Ordinal);
        Assert.Single(await system.EventsAsync("cli-bad"));
    }

    [Fact]
    public async Task Ingest_EveryRowBreaksARule_IsToldRowByRow()
    {
        const string csv = "metric,customerRef,quantity,ts\nm,c,0,2026-11-02T00:00:00Z\nm,c,x,2026-11-02T00:00:00Z\n";
        var result = await system.RunAsync(csv, "ingest", "-", "--format", "csv", "--tenant", "cli-all-bad");

        Assert.Equal(1, result.Code);
        Assert.Contains("line 2: error: quantity must be greater than 0", result.Error, StringComparison.Ordinal);
        Assert.Contains("line 3: error: quantity must be a decimal number", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ingest_EqualRowsWithAKeyPrefix_EachCount()
    {
        const string csv = "metric,customerRef,quantity,ts\nm,c,1,2026-11-02T00:00:00Z\nm,c,1,2026-11-02T00:00:00Z\n";
        var result = await system.RunAsync(
            csv, "ingest", "-", "--format", "csv", "--tenant", "cli-prefix", "--key-prefix", "load-7", "-o", "json");

        Assert.Equal(2, (int)result.Json["accepted"]!);
        Assert.Equal(["load-7:1", "load-7:2"], (await system.EventsAsync("cli-prefix")).Select(item => (string)item["id"]!).Order());
    }

    [Fact]
    public async Task Ingest_QuoteLeftOpen_StoresTheRowsBefore()
    {
        var csv = "metric,customerRef,quantity,ts\nm,c,1,2026-11-02T00:00:00Z\nm,\"c,1,2026-11-02T00:00:00Z\n" + new string('x', 300_000);
        var result = await system.RunAsync(csv, "ingest", "-", "--format", "csv", "--tenant", "cli-open-quote");

        Assert.Equal(1, result.Code);
        Assert.Contains("a quote is left open", result.Error, StringComparison.Ordinal);
        Assert.Single(await system.EventsAsync("cli-open-quote"));
    }

    [Fact]
    public async Task Ingest_FileThatIsNotThere_SaysSo()
    {
        var result = await system.RunAsync("", "ingest", "no-such-file.csv");

        Assert.Equal(1, result.Code);
        Assert.Contains("no-such-file.csv", result.Error, StringComparison.Ordinal);
    }
}
