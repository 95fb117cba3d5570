using System.Globalization;
using StripeMeter.StripeDouble;
using Xunit;

namespace StripeMeter.EndToEnd.Tests;

/// <summary>The command for Stripe's sandbox as it is run, pointed at the double.</summary>
public sealed class SandboxTests
{
    [Fact]
    public async Task Command_AtTheDouble_ComesOutAsItShould()
    {
        var folder = Directory.CreateTempSubdirectory("stripemeter-test-").FullName;
        await using (var stripe = await StripeDoubleHost.StartAsync(new StripeDoubleOptions { DataFile = Path.Combine(folder, "stripe.db"), Port = 0, RequireKnownCustomers = true }))
        {
            var (code, said) = await RunAsync("sk_test_double", stripe.BaseAddress.ToString());
            Assert.True(code == 0, said);
            Assert.EndsWith("All steps came out as they should.", said.TrimEnd(), StringComparison.Ordinal);
            Assert.Equal(320.5m, stripe.ReadEvents().Sum(one => decimal.Parse(one.Value, CultureInfo.InvariantCulture)));
        }

        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("", 0, "Skipped: STRIPE_TEST_SECRET_KEY is not set")]
    [InlineData("sk_live_x", 2, "must be a test key")]
    [InlineData("rk_live_x", 2, "must be a test key")]
    public async Task Command_WithoutATestKey_SaysSoAndAsksNobody(string key, int code, string text)
    {
        var (exit, said) = await RunAsync(key, "http://127.0.0.1:1");
        Assert.Equal(code, exit);
        Assert.Contains(text, said, StringComparison.Ordinal);
        Assert.DoesNotContain("_live_", said, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Said)> RunAsync(string key, string address)
    {
        var start = new System.Diagnostics.ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "StripeMeter.Sandbox.dll")])
        {
            RedirectStandardError = true, RedirectStandardOutput = true,
        };
        start.Environment["STRIPE_TEST_SECRET_KEY"] = key;
        start.Environment["STRIPE_API_BASE"] = address;
        using var process = System.Diagnostics.Process.Start(start)!;
        var said = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, string.Concat(said));
    }
}
