using System.Text.RegularExpressions;
using StripeMeter.House.Tests.Kit;

namespace StripeMeter.House.Tests.Hygiene;

/// <summary>What <c>docs/correctness.md</c> says is shown by tests is shown by tests that exist.</summary>
public sealed partial class CorrectnessTests
{
    private const int Invariants = 12;
    private static readonly string Text = Repository.Read("docs/correctness.md");

    [Fact]
    public void Tests_NamedAnywhere_Exist() =>
        Assert.DoesNotContain(
            TestPath().Matches(Text).Select(match => match.Groups[1].Value),
            path => !File.Exists(Repository.PathOf(path)) && !Directory.Exists(Repository.PathOf(path)));

    [Fact]
    public void Invariants_All_AreShownByTests()
    {
        var shown = Text.Split('\n').Select(line => InvariantRow().Match(line)).Where(row => row.Success)
            .ToDictionary(row => row.Groups[1].Value, row => TestPath().Count(row.Groups[2].Value));

        Assert.Equal(Enumerable.Range(1, Invariants).Select(number => $"I{number}"), shown.Keys);
        Assert.DoesNotContain(0, shown.Values);
    }

    [GeneratedRegex("`(tests/[^`]+)`")]
    private static partial Regex TestPath();

    [GeneratedRegex(@"^\| (I\d+) \| .* \| ([^|]*) \|$")]
    private static partial Regex InvariantRow();
}
