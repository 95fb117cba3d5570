using System.Text.RegularExpressions;
using StripeMeter.Kits.Files;
using StripeMeter.Pricing.Tests.Kit;

namespace StripeMeter.Pricing.Tests.Simulating;

/// <summary>Does what docs/simulator-getting-started.md says, and sees what it shows.</summary>
public sealed partial class GettingStartedTests
{
    [Fact]
    public async Task Document_EveryCommand_SucceedsAndPrintsWhatIsShown()
    {
        var text = await File.ReadAllTextAsync(Repository.PathOf("docs/simulator-getting-started.md"), TestContext.Current.CancellationToken);
        using var folder = new TemporaryFolder();
        folder.Write("first.sim.yaml", Block().Match(text[text.IndexOf("```yaml", StringComparison.Ordinal)..]).Groups["text"].Value);

        var commands = Command().Matches(text);
        foreach (Match command in commands)
        {
            var result = await RunAsync(command.Groups["line"].Value, folder.Path);

            Assert.Equal((0, ""), (result.Code, result.Error));
            if (command.Groups["shown"].Success)
                Assert.Equal(command.Groups["shown"].Value, result.Out);
        }

        Assert.Equal(5, commands.Count);
        Assert.Contains("failures=\"0\"", await File.ReadAllTextAsync(Path.Combine(folder.Path, "results.xml"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    /// <summary>Files of the reader are in a folder of their own, those of the repository where they are.</summary>
    private static async Task<CommandLine> RunAsync(string line, string folder)
    {
        var words = line.Split(' ').Select(word =>
            word.StartsWith("examples/", StringComparison.Ordinal) ? Repository.PathOf(word)
            : word.Contains('.', StringComparison.Ordinal) ? Path.Combine(folder, word) : word);
        var result = await CommandLine.RunAsync([.. words]);
        return result with { Out = result.Out.Replace(folder + "/", "", StringComparison.Ordinal) };
    }

    [GeneratedRegex("```sh\nstripemeter (?<line>[^\n]+)\n```\n(\n```text\n(?<shown>.*?)```)?", RegexOptions.Singleline)]
    private static partial Regex Command();

    [GeneratedRegex("```yaml\n(?<text>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();
}
