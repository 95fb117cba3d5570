using System.Diagnostics;
using Xunit;

namespace StripeMeter.EndToEnd.Tests;

/// <summary>Every command that docs/api.md shows answers what it shows.</summary>
public sealed class ApiDocumentTests
{
    [Fact]
    public async Task Document_EveryCommand_AnswersWhatItShows()
    {
        using var run = Process.Start(new ProcessStartInfo("bash", [Path.Combine(Repository.Root, "tests/docs/run.sh")])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var output = run.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = run.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await run.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(run.ExitCode == 0, await output + await error);
    }
}
