using System.Xml.Linq;
using StripeMeter.House.Tests.Kit;

namespace StripeMeter.House.Tests.Hygiene;

public sealed class ProjectFileTests
{
    private static readonly XDocument Versions = XDocument.Load(Repository.PathOf("Directory.Packages.props"));

    [Fact]
    public async Task Packages_InProjects_CarryNoVersion()
    {
        var wrong =
            from project in await Repository.ProjectsAsync()
            from package in project.Packages
            where package.Attribute("Version") is not null || package.Attribute("VersionOverride") is not null
            select $"{project.Path}: {package}";

        Assert.Empty(wrong);
    }

    /// <summary>A floating version would build something else tomorrow.</summary>
    [Fact]
    public void Versions_Always_AreExact()
    {
        Assert.DoesNotContain(Versions.Descendants("PackageVersion"), package =>
            package.Attribute("Version")!.Value.IndexOfAny(['*', '[', '(', ',']) >= 0);
    }
}
