using System.Text.RegularExpressions;
using StripeMeter.House.Tests.Kit;

namespace StripeMeter.House.Tests.Deployment;

/// <summary>.env.example: every name that applies, with its default and what it means.</summary>
public sealed partial class EnvExampleTests
{
    [Fact]
    public async Task Names_Always_AreThoseThatSomethingReads()
    {
        var named = Entries().Select(entry => entry.Name);
        var read = (await KnownSettings.AllAsync()).Concat(Components.Variants.SelectMany(variant => Components.Of(variant).Variables()))
            .Concat(Interpolation().Matches(Repository.Read("docker-compose.yml")).Select(match => match.Groups[1].Value)).ToHashSet();

        Assert.Empty(read.Except(named));
        Assert.Empty(named.Except(read));
    }

    [Fact]
    public async Task Values_OfSettings_AreTheirDefaults()
    {
        var defaults = await KnownSettings.OfServicesAsync();
        var wrong = Entries().Where(entry => defaults.Contains(entry.Name) && !defaults[entry.Name].Contains(entry.Value));

        Assert.Empty(wrong);
    }

    /// <summary>A copy of the file changes nothing until a line is uncommented.</summary>
    [Fact]
    public void Lines_Always_AreCommentsOrExplainedNames()
    {
        Assert.All(Lines(), line => Assert.True(line.Length == 0 || line.StartsWith("# ", StringComparison.Ordinal) || Entry().IsMatch(line), line));
    }

    private static IEnumerable<(string Name, string Value)> Entries() =>
        Lines().Select(line => Entry().Match(line)).Where(match => match.Success)
            .Select(match => (match.Groups["name"].Value, match.Groups["value"].Value));

    private static string[] Lines() => Repository.Read(".env.example").TrimEnd('\n').Split('\n');

    [GeneratedRegex(@"^#(?<name>[A-Z][A-Z0-9_]*)=(?<value>\S*) +# \S.{9,}$")]
    private static partial Regex Entry();

    [GeneratedRegex(@"\$\{([A-Z0-9_]+)")]
    private static partial Regex Interpolation();
}
