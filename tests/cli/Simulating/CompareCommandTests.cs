using System.Globalization;
using StripeMeter.Cli.Tests.Kit;
using Xunit;

namespace StripeMeter.Cli.Tests.Simulating;

/// <summary>Prices compared over what a running system has counted.</summary>
public sealed class CompareCommandTests(RunningSystem system) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("stripemeter-compare-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Compare_OverATenant_IsWhatIsCounted()
    {
        var now = TimeProvider.System.GetUtcNow().ToString("O", CultureInfo.InvariantCulture);
        var events = $"""
            customer,meter,qty,ts
            cus_1,calls,10,{now}
            cus_2,calls,20,{now}
            """;
        await system.RunAsync(events, "ingest", "-", "--format", "csv", "--tenant", "cli-compare");
        await system.UntilCountedAsync("cli-compare");

        var result = await CompareAsync("--before", Write("before.yaml", 5), "--after", Write("after.yaml", 4), "--at", now, "-o", "json");

        Assert.Equal((0, ""), (result.Code, result.Error));
        Assert.Equal((2, 150, 120, 2), ((int)result.Json["customers"]!, (int)result.Json["before"]!, (int)result.Json["after"]!, (int)result.Json["winners"]!));
    }

    [Fact]
    public async Task Compare_WithoutPricesBefore_SaysThatNoneAreMapped()
    {
        var result = await CompareAsync("--after", Write("after.yaml", 4));

        Assert.Equal(1, result.Code);
        Assert.Contains("before is required: the tenant maps no metric to a price", result.Error, StringComparison.Ordinal);
    }

    private Task<CommandResult> CompareAsync(params string[] line) =>
        system.RunAsync("", ["simulate", "compare", "--tenant", "cli-compare", .. line]);

    private string Write(string name, int unitAmount)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, $"prices: {{calls: {{currency: usd, unit_amount: {unitAmount}}}}}");
        return path;
    }
}
