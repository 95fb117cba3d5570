using System.Text.Json.Nodes;
using System.Xml.Linq;
using StripeMeter.Kits.Files;
using StripeMeter.Pricing.Tests.Kit;

namespace StripeMeter.Pricing.Tests.Simulating;

public sealed class SimulateCommandTests : IDisposable
{
    private const string Good = """
        metadata: {name: good}
        inputs:
          customerId: c
          periodStart: 2026-01-01
          periodEnd: 2026-01-31
          usageItems:
            - {metric: calls, quantity: 3, price: {currency: usd, unit_amount: 5}}
        expected: {total: 15}
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Run_GoldenScenarios_AreAllAsExpected()
    {
        var result = await CommandLine.RunAsync("simulate", "run", Repository.PathOf("examples/simulations"), "-o", "json");

        Assert.Equal((0, ""), (result.Code, result.Error));
        var summary = JsonNode.Parse(result.Out)!["summary"]!;
        Assert.Equal((12, 12), ((int)summary["total"]!, (int)summary["ok"]!));
    }

    [Fact]
    public async Task Run_Difference_IsShownAndFails()
    {
        var result = await CommandLine.RunAsync("simulate", "run", _folder.Write("a.sim.yaml", Good.Replace("15", "16", StringComparison.Ordinal)));

        Assert.Equal(1, result.Code);
        Assert.Contains("differs: total: expected 16, got 15", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Report_Difference_FailsOnlyWhenAsked()
    {
        var file = _folder.Write("a.sim.yaml", Good.Replace("15", "16", StringComparison.Ordinal));

        Assert.Equal(0, (await CommandLine.RunAsync("simulate", "report", file)).Code);
        Assert.Equal(1, (await CommandLine.RunAsync("simulate", "report", file, "--fail-on-diff")).Code);
    }

    [Theory]
    [InlineData("unit_amount: 5", "unit_amount: -5", "inputs.usageItems[0].price.unit_amount must not be negative")]
    [InlineData("quantity: 3", "quantity: -3", "inputs.usageItems[0].quantity must not be negative")]
    [InlineData("quantity: 3", "quantity: .nan", "inputs.usageItems[0].quantity must be a number")]
    [InlineData("customerId: c", "customer: c", "inputs.customerId is required")]
    [InlineData("2026-01-31", "2025-01-31", "inputs.periodEnd must be after periodStart")]
    [InlineData("expected", "expcted", "expcted is not known")]
    [InlineData("metric: calls,", "metric: calls, metric: calls,", "is not YAML: line 7")]
    [InlineData("2026-01-01", "yesterday", "inputs.periodStart must be a date")]
    public async Task Validate_BadFile_NamesTheFieldAndFails(string good, string bad, string expected)
    {
        var file = _folder.Write("a.sim.yaml", Good.Replace(good, bad, StringComparison.Ordinal));

        var result = await CommandLine.RunAsync("simulate", "validate", file);

        Assert.Equal((1, ""), (result.Code, result.Out));
        Assert.Contains($"{file}: {expected}", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_JUnit_TellsPassedDifferentAndWrong()
    {
        _folder.Write("a.sim.yaml", Good);
        _folder.Write("b.sim.yaml", Good.Replace("15", "16", StringComparison.Ordinal));
        _folder.Write("c.sim.json", "{");
        var report = Path.Combine(_folder.Path, "junit.xml");

        var result = await CommandLine.RunAsync("simulate", "run", _folder.Path, "--junit", report);

        var cases = XDocument.Load(report).Descendants("testcase").Select(test => test.Elements().FirstOrDefault()?.Name.LocalName ?? "passed");
        Assert.Equal(["passed", "failure", "error"], cases);
        Assert.Equal(1, result.Code);
        Assert.Contains("3 scenarios: 1 fine, 1 differ, 1 cannot be computed.", result.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Run_Colours_OnlyOnATerminal(bool terminal)
    {
        var result = await CommandLine.RunAsync(terminal, "simulate", "run", _folder.Write("a.sim.yaml", Good));

        Assert.Equal(terminal, result.Out.Contains('\e', StringComparison.Ordinal));
    }

    [Fact]
    public async Task Run_NoFile_IsAWrongCommandLine() => Assert.Equal(2, (await CommandLine.RunAsync("simulate", "run")).Code);

    [Fact]
    public async Task Run_MissingFileOrEmptyFolder_FailsWithASentence()
    {
        var missing = await CommandLine.RunAsync("simulate", "run", Path.Combine(_folder.Path, "none.sim.yaml"));
        var empty = await CommandLine.RunAsync("simulate", "run", _folder.Path);

        Assert.Equal((1, 1), (missing.Code, empty.Code));
        Assert.Contains("none.sim.yaml", missing.Error, StringComparison.Ordinal);
        Assert.Contains("no scenario file", empty.Error, StringComparison.Ordinal);
    }
}
