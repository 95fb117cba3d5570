using System.Diagnostics;
using System.Net.Http.Json;
using System.Text;
using System.Text.RegularExpressions;
using StripeMeter.Kits.Files;
using Xunit;

namespace StripeMeter.EndToEnd.Tests;

/// <summary>Runs every command of the operator's runbook, in the order in which they stand.</summary>
public sealed partial class RunbookTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task Runbook_EveryCommand_DoesWhatItSays()
    {
        await using var system = await EmbeddedSystem.StartAsync();
        // The runbook writes two hours back, which is within the period, whatever day it is.
        var began = TimeProvider.System.GetUtcNow().AddDays(-1);
        using var anchored = await system.Rest.PostAsJsonAsync(
            "/v1/anchors", new { tenantId = "acme", customerRef = "cus_1", effectiveFrom = began, billingCycleAnchor = began });
        Assert.True(anchored.IsSuccessStatusCode, await anchored.Content.ReadAsStringAsync());
        var commands = Blocks().Matches(await File.ReadAllTextAsync(Path.Combine(Repository.Root, "RECONCILIATION.md")))
            .Select(block => block.Groups[1].Value).ToList();
        Assert.True(commands.Count >= 8, "The runbook has lost its commands.");
        var (code, output) = await RunAsync(system, $"{began:yyyy-MM}", string.Join('\n', commands));
        Assert.True(code == 0, output);
        Assert.Contains("something is to be investigated", output, StringComparison.Ordinal);
        Assert.Contains("foreign_writer; 6 at ", output, StringComparison.Ordinal);
        Assert.Contains("told 1000 to mtr_", output, StringComparison.Ordinal);
        Assert.Contains("\"status\":\"parity\"", output, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output)> RunAsync(EmbeddedSystem system, string month, string commands)
    {
        var script = $$"""
            set -euo pipefail
            stripemeter() { dotnet '{{Path.Combine(AppContext.BaseDirectory, "stripemeter.dll")}}' "$@"; }
            {{commands}}
            """;
        var start = new ProcessStartInfo("bash", ["-c", script]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["STRIPEMETER_URL"] = system.Rest.BaseAddress!.ToString().TrimEnd('/');
        start.Environment["STRIPE_DOUBLE_URL"] = system.StripeBase;
        start.Environment["MONTH"] = month;
        using var process = Process.Start(start)!;
        var output = new StringBuilder();
        process.OutputDataReceived += (_, line) => Append(line.Data);
        process.ErrorDataReceived += (_, line) => Append(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            return (-1, $"The commands did not end.\n{output}");
        }

        return (process.ExitCode, output.ToString());

        void Append(string? line)
        {
            lock (output)
                output.AppendLine(line);
        }
    }

    [GeneratedRegex("^```sh\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Blocks();
}
