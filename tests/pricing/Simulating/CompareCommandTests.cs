using System.Text.Json.Nodes;
using StripeMeter.Pricing.Tests.Kit;

namespace StripeMeter.Pricing.Tests.Simulating;

public sealed class CompareCommandTests : IDisposable
{
    private const string After = """
        prices:
          calls:
            currency: usd
            billing_scheme: tiered
            tiers_mode: graduated
            tiers: [{up_to: 100, unit_amount: 0}, {up_to: inf, unit_amount: 12}]
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Compare_Customers_AreSummedAndListed()
    {
        var details = Path.Combine(_folder.Path, "details.csv");
        var result = await CompareAsync(
            """
            {"customer": "light", "usage": {"calls": 50}}
            {"customer": "heavy \"x\"", "usage": {"calls": "1000.5", "unpriced": 4}}
            """, "--details", details, "-o", "json");

        Assert.Equal((0, ""), (result.Code, result.Error));
        var json = JsonNode.Parse(result.Out)!;
        Assert.Equal((2, 10_505, 10_806), ((int)json["customers"]!, (int)json["before"]!, (int)json["after"]!));
        Assert.Equal("light", (string)json["topWinners"]![0]!["customer"]!);
        Assert.Equal(
            "customer,before,after,difference\n\"light\",5.00,0.00,-5.00\n\"heavy \"\"x\"\"\",100.05,108.06,8.01\n",
            await File.ReadAllTextAsync(details, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Compare_ForPeople_ShowsWhoWinsAndLoses()
    {
        var result = await CompareAsync("""{"customer": "light", "usage": {"calls": 50}}""");

        Assert.Contains("wins most", result.Out, StringComparison.Ordinal);
        Assert.Contains("-50 % or less", result.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{", "line 1: ")]
    [InlineData("{\"customer\": \"c\"}", "line 1: usage is required")]
    [InlineData("{\"customer\": \"c\", \"usage\": {\"calls\": \"many\"}}", "line 1: usage.calls must be a number")]
    public async Task Compare_BadLine_IsNamed(string line, string expected)
    {
        var result = await CompareAsync(line);

        Assert.Equal(1, result.Code);
        Assert.Contains(expected, result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Give either --usage or --tenant.")]
    [InlineData("Give either --usage or --tenant.", "--usage", "u", "--tenant", "t")]
    [InlineData("--before is required with --usage.", "--usage", "u")]
    [InlineData("--at goes with --tenant.", "--usage", "u", "--before", "b", "--at", "2026-01-01")]
    public async Task Compare_WrongCommandLine_SaysSo(string expected, params string[] line)
    {
        var result = await CommandLine.RunAsync(["simulate", "compare", "--after", "a", .. line]);

        Assert.Equal(2, result.Code);
        Assert.Contains(expected, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Compare_BadPriceList_NamesTheFileAndTheField()
    {
        var bad = _folder.Write("bad.yaml", "prices: {calls: {currency: usd, unit_amount: -1}}");

        var result = await CompareAsync("""{"customer": "c", "usage": {}}""", "--after", bad);

        Assert.Equal(1, result.Code);
        Assert.Contains("bad.yaml: prices.calls.unit_amount must not be negative", result.Error, StringComparison.Ordinal);
    }

    private Task<CommandLine> CompareAsync(string usage, params string[] more) => CommandLine.RunAsync(
    [
        "simulate", "compare",
        "--usage", _folder.Write("usage.jsonl", usage),
        "--before", _folder.Write("before.yaml", "prices: {calls: {currency: usd, unit_amount: 10}}"),
        .. more.Contains("--after") ? more : ["--after", _folder.Write("after.yaml", After), .. more],
    ]);
}
