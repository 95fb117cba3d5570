using System.Text.RegularExpressions;
using StripeMeter.House.Tests.Kit;

namespace StripeMeter.House.Tests.Hygiene;

public sealed partial class ProtoTests
{
    [Fact]
    public async Task Package_OfAFile_IsItsFolder()
    {
        Assert.All(await ProtosAsync(), file =>
            Assert.Equal(Path.GetDirectoryName(file)!["protos/".Length..].Replace('/', '.'), Package().Match(Repository.Read(file)).Groups[1].Value));
    }

    /// <summary>An enum that was not set must be told from one that was.</summary>
    [Fact]
    public async Task Enums_FirstValue_IsUnspecified()
    {
        var enums = (await ProtosAsync()).SelectMany(file => Enum().Matches(Repository.Read(file))).ToList();

        Assert.NotEmpty(enums);
        Assert.All(enums, match => Assert.Equal($"{UpperSnake(match.Groups[1].Value)}_UNSPECIFIED = 0", match.Groups[2].Value));
    }

    private static async Task<IReadOnlyList<string>> ProtosAsync() =>
        [.. (await Repository.TrackedFilesAsync()).Where(file => file.EndsWith(".proto", StringComparison.Ordinal))];

    private static string UpperSnake(string pascal) => WordStart().Replace(pascal, "_$0").ToUpperInvariant();

    [GeneratedRegex(@"^package (\S+);", RegexOptions.Multiline)]
    private static partial Regex Package();

    [GeneratedRegex(@"^\s*enum (\w+) \{(?:\s*//[^\n]*)*\s*(\w+ = \d+)", RegexOptions.Multiline)]
    private static partial Regex Enum();

    [GeneratedRegex("(?<=[a-z0-9])[A-Z]")]
    private static partial Regex WordStart();
}
