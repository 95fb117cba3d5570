using StripeMeter.House.Tests.Kit;

namespace StripeMeter.House.Tests.Dependencies;

public sealed class ProjectReferenceTests
{
    private const string Services = "services/";

    [Fact]
    public async Task Services_EveryProject_HasItsPlaceInTheLaw()
    {
        var folders = (await Repository.ProjectsAsync()).Where(IsService).Select(project => project.Folder[Services.Length..]);

        Assert.Equal(DependencyLaw.MayReference.Keys.Order(), folders.Order());
    }

    [Fact]
    public async Task References_OfAService_PointTheRightWay()
    {
        var wrong =
            from project in (await Repository.ProjectsAsync()).Where(IsService)
            from reference in project.References
            let allowed = DependencyLaw.MayReference[project.Folder[Services.Length..]]
            where !reference.StartsWith(Services, StringComparison.Ordinal) || !allowed.Contains(reference[Services.Length..])
            select $"{project.Folder} references {reference}";

        Assert.Empty(wrong);
    }

    /// <summary>Examples are clients: they speak REST or the protos.</summary>
    [Fact]
    public async Task References_OfAnExample_AreTheContractsAtMost()
    {
        var wrong =
            from project in await Repository.ProjectsAsync()
            where project.Folder.StartsWith("examples/", StringComparison.Ordinal)
            from reference in project.References
            where reference != "services/contracts"
            select $"{project.Folder} references {reference}";

        Assert.Empty(wrong);
    }

    private static bool IsService(Project project) => project.Folder.StartsWith(Services, StringComparison.Ordinal);
}
