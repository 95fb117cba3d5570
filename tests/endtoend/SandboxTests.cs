using StripeMeter.Sandbox;
using StripeMeter.StripeDouble;
using Xunit;

namespace StripeMeter.EndToEnd.Tests;

/// <summary>The scenario for Stripe's sandbox, pointed at the double.</summary>
public sealed class SandboxTests
{
    [Fact]
    public async Task Scenario_AtTheDouble_ComesOutAsItShould()
    {
        var folder = Directory.CreateTempSubdirectory("stripemeter-test-").FullName;
        await using (var stripe = await StripeDoubleHost.StartAsync(new StripeDoubleOptions { DataFile = Path.Combine(folder, "stripe.db"), Port = 0, RequireKnownCustomers = true }))
        {
            using var output = new StringWriter();
            await new SandboxScenario("sk_test_double", stripe.BaseAddress, output).RunAsync(CancellationToken.None);
            Assert.EndsWith("All steps came out as they should.", output.ToString().TrimEnd(), StringComparison.Ordinal);
            Assert.Equal(320.5m, stripe.ReadEvents().Sum(one => decimal.Parse(one.Value, System.Globalization.CultureInfo.InvariantCulture)));
        }

        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("", 0, "Skipped: STRIPE_TEST_SECRET_KEY is not set")]
    [InlineData("sk_live_x", 2, "must be a test key")]
    public async Task Command_WithoutATestKey_SaysSo(string key, int code, string text)
    {
        var start = new System.Diagnostics.ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "StripeMeter.Sandbox.dll")])
        {
            RedirectStandardError = true, RedirectStandardOutput = true,
        };
        start.Environment["STRIPE_TEST_SECRET_KEY"] = key;
        using var process = System.Diagnostics.Process.Start(start)!;
        var said = await process.StandardOutput.ReadToEndAsync() + await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(code, process.ExitCode);
        Assert.Contains(text, said, StringComparison.Ordinal);
    }
}
