using StripeMeter.Cli.Tests.Kit;
using Xunit;

namespace StripeMeter.Cli.Tests.Commands;

public sealed class CommandLineTests
{
    [Theory, InlineData("ingest"), InlineData("no-such-command"), InlineData("ingest", "-", "--batch-size", "0"),
     InlineData("ingest", "-", "--format", "xml"), InlineData("ingest", "-", "--url", "localhost"), InlineData("ingest", "-", "--output", "yaml")]
    public async Task Run_WrongCommandLine_EndsWith2AndSaysWhy(params string[] line)
    {
        var result = await CommandResult.RunAsync("", line);

        Assert.Equal((2, ""), (result.Code, result.Out));
        Assert.StartsWith("stripemeter: ", result.Error, StringComparison.Ordinal);
        Assert.Contains("--help", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_Help_ListsCommandsAndExitCodes()
    {
        var result = await CommandResult.RunAsync("", ["--help"]);

        Assert.Equal(0, result.Code);
        Assert.Contains("ingest", result.Out, StringComparison.Ordinal);
        Assert.Contains("Exit codes", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_VariableHoldsNoAddress_SaysSo()
    {
        var result = await CommandResult.RunAsync(
            "", ["ingest", "-", "--format", "csv"], name => name == "STRIPEMETER_URL" ? "nowhere" : null);

        Assert.Equal(1, result.Code);
        Assert.Contains("'nowhere' is not an address", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_NothingListens_SaysHowToNameTheAddress()
    {
        var result = await CommandResult.RunAsync(
            "metric,customerRef,quantity,ts\nm,c,1,2026-11-02T00:00:00Z\n", ["ingest", "-", "--format", "csv", "--url", "http://127.0.0.1:1"]);

        Assert.Equal(1, result.Code);
        Assert.Contains("Nothing answers at http://127.0.0.1:1/", result.Error, StringComparison.Ordinal);
        Assert.Contains("--url", result.Error, StringComparison.Ordinal);
    }
}
