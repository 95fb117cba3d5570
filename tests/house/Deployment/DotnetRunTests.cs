using StripeMeter.House.Tests.Kit;

namespace StripeMeter.House.Tests.Deployment;

public sealed class DotnetRunTests
{
    /// <summary>Else ./data of the system and ./data of the command that makes its keys are two folders.</summary>
    [Theory, InlineData("local"), InlineData("localdapr"), InlineData("stripedouble"), InlineData("cli")]
    public async Task Run_OfAProject_StartsWhereItsUserIs(string service)
    {
        var folder = await Repository.OutputOfAsync(
            "dotnet", "msbuild", $"services/{service}/{service}.csproj", "-getProperty:RunWorkingDirectory");

        Assert.Equal("", folder.Trim());
    }
}
