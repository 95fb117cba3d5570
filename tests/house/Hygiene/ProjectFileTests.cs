using System.Xml.Linq;
using StripeMeter.House.Tests.Kit;

namespace StripeMeter.House.Tests.Hygiene;

public sealed class ProjectFileTests
{
    private static readonly string[] SharedFiles = ["Directory.Build.props", "Directory.Build.targets"];
    private static readonly XDocument Versions = XDocument.Load(Repository.PathOf("Directory.Packages.props"));

    [Fact]
    public async Task Solution_Always_HoldsEveryProject()
    {
        var listed = Repository.Read("stripemeter.sln").Split('"').Where(part => part.EndsWith(".csproj", StringComparison.Ordinal))
            .Select(path => path.Replace('\\', '/'));

        var projects = (await Repository.ProjectsAsync()).Select(project => project.Path);
        Assert.Empty(projects.Except(listed));
    }

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

    [Fact]
    public async Task Packages_Everywhere_ArePinnedAndUsed()
    {
        var used = (await Repository.ProjectsAsync()).SelectMany(project => project.Packages)
            .Concat(SharedFiles.SelectMany(file => XDocument.Load(Repository.PathOf(file)).Descendants("PackageReference")))
            .Select(package => package.Attribute("Include")!.Value).Distinct();
        var pinned = Versions.Descendants("PackageVersion")
            .Where(package => package.Parent!.Attribute("Label")!.Value != "Transitive pins")
            .Select(package => package.Attribute("Include")!.Value);

        Assert.Empty(used.Except(pinned));
        Assert.Empty(pinned.Except(used));
    }

    /// <summary>A floating version would build something else tomorrow.</summary>
    [Fact]
    public void Versions_Always_AreExact()
    {
        Assert.DoesNotContain(Versions.Descendants("PackageVersion"), package =>
            package.Attribute("Version")!.Value.IndexOfAny(['*', '[', '(', ',']) >= 0);
    }
}
