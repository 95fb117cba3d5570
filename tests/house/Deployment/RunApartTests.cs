using System.Globalization;
using System.Text.RegularExpressions;
using StripeMeter.Defaults.Hosting;
using StripeMeter.House.Tests.Kit;

namespace StripeMeter.House.Tests.Deployment;

/// <summary>ops/run-apart.sh starts what the catalogue names.</summary>
public sealed partial class RunApartTests
{
    private static readonly string Script = Repository.Read("ops/run-apart.sh");

    [Fact]
    public void Apps_Always_AreThoseOfTheCatalogueWithTheirPorts()
    {
        var apps = App().Matches(Script).Select(match => new AppDefinition(
            match.Groups[1].Value, Number(match.Groups[2]), Number(match.Groups[3]), Number(match.Groups[4]), Number(match.Groups[5])));

        Assert.Equal(AppCatalogue.All, apps);
    }

    [Fact]
    public void Sidecars_Always_AcceptWhatServicesAccept()
    {
        Assert.Contains("--app-protocol h2c ", Script, StringComparison.Ordinal);
        Assert.Contains($"--max-body-size {ServiceHost.MaximumBodyBytes / (1024 * 1024)}Mi ", Script, StringComparison.Ordinal);
    }

    private static int Number(Group digits) => int.Parse(digits.Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^(?:apps=""| {6})(\w+) +(\d+) +(\d+) +(\d+) +(\d+)""?$", RegexOptions.Multiline)]
    private static partial Regex App();
}
