using System.Text.RegularExpressions;
using StripeMeter.House.Tests.Kit;

namespace StripeMeter.House.Tests.Hygiene;

public sealed partial class SourceTextTests
{
    private static readonly string[] NotOurs = ["LICENSE"];
    private static readonly string[] Binary = [".png", ".ico", ".woff2", ".gz"];

    // Put together here, so that the rules do not find themselves.
    private static readonly Regex Unfinished = new(@"\b(TO" + "DO|FIX" + "ME|X" + "XX|NotImplemented" + @"Exception)\b");
    private static readonly Regex PathOfAMachine = new(@"(?<![\w.$}-])/(ro" + "ot|wo" + "rk|tmp/w" + "t|home/[a-z]+|Use" + "rs/[a-z]+)/");

    [Fact]
    public async Task Files_Everywhere_AreFinished() => Assert.Empty(await LinesAsync(Unfinished.IsMatch));

    [Fact]
    public async Task Files_Everywhere_NameNoPathOfAMachine() => Assert.Empty(await LinesAsync(PathOfAMachine.IsMatch));

    [Fact]
    public async Task SkippedTests_Everywhere_SayWhy() => Assert.Empty(await LinesAsync(line => SkipWithoutReason().IsMatch(line)));

    [Theory, InlineData("[Fact(Skip = \"\")]", true), InlineData("[Fact(Skip = \"needs a server\")]", false),
     InlineData("Assert.Skip(\" \");", true), InlineData("Assert.SkipWhen(isThere, \"\");", true),
     InlineData("Assert.SkipUnless(isThere, \"needs a server\");", false)]
    public void SkipRule_Line_FindsAMissingReason(string line, bool isMissing) => Assert.Equal(isMissing, SkipWithoutReason().IsMatch(line));

    [Fact]
    public async Task Files_Everywhere_EndWithANewlineAndWithoutSpaces()
    {
        var wrong = (await TextsAsync()).Where(file => file.Text.Length > 0 && (!file.Text.EndsWith('\n') || SpaceAtEnd().IsMatch(file.Text)));

        Assert.Empty(wrong.Select(file => file.Name));
    }

    private static async Task<IEnumerable<string>> LinesAsync(Func<string, bool> isWrong) =>
        from file in await TextsAsync()
        from line in file.Text.Split('\n').Index()
        where isWrong(line.Item)
        select $"{file.Name}:{line.Index + 1}: {line.Item.Trim()}";

    private static async Task<IEnumerable<(string Name, string Text)>> TextsAsync() =>
        (await Repository.TrackedFilesAsync()).Except(NotOurs).Where(file => !Binary.Contains(Path.GetExtension(file)))
            .Select(file => (file, Repository.Read(file)));

    [GeneratedRegex("""Skip\s*=\s*"\s*"|Assert\.Skip\w*\((.*,\s*)?"\s*"\)""")]
    private static partial Regex SkipWithoutReason();

    [GeneratedRegex(@"[ \t]\r?\n")]
    private static partial Regex SpaceAtEnd();
}
