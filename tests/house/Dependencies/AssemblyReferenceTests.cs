using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using StripeMeter.House.Tests.Kit;

namespace StripeMeter.House.Tests.Dependencies;

/// <summary>What the compiler saw: references that come through other projects count as well.</summary>
public sealed class AssemblyReferenceTests
{
    [Fact]
    public async Task References_OfAnAssembly_PointTheRightWay()
    {
        var assemblies = await ServiceAssembliesAsync();
        var wrong =
            from pair in assemblies
            let allowed = DependencyLaw.MayReference[pair.Key].Select(folder => assemblies[folder].Name).ToHashSet()
            from reference in pair.Value.References
            where reference.StartsWith("StripeMeter.", StringComparison.Ordinal) && !allowed.Contains(reference)
            select $"{pair.Key} is compiled against {reference}";

        Assert.Empty(wrong);
    }

    [Fact]
    public async Task References_OfTheInnermost_AreFewAndNamed()
    {
        var assemblies = await ServiceAssembliesAsync();
        var wrong =
            from rule in DependencyLaw.MayUse
            from reference in assemblies[rule.Key].References
            where !rule.Value.Any(prefix => reference.StartsWith(prefix, StringComparison.Ordinal))
            select $"{rule.Key} is compiled against {reference}";

        Assert.Empty(wrong);
    }

    [Fact]
    public async Task References_ToDriversAndWireTypes_AreWhereTheyBelong()
    {
        var wrong =
            from pair in await ServiceAssembliesAsync()
            from reference in pair.Value.References
            from rule in DependencyLaw.UsedBy
            where reference.StartsWith(rule.Key, StringComparison.Ordinal) && !rule.Value.Contains(pair.Key)
            select $"{pair.Key} is compiled against {reference}";

        Assert.Empty(wrong);
    }

    private static async Task<Dictionary<string, ServiceAssembly>> ServiceAssembliesAsync() =>
        (await Repository.ProjectsAsync()).Where(project => project.Folder.StartsWith("services/", StringComparison.Ordinal))
            .ToDictionary(project => Path.GetFileName(project.Folder), project => ServiceAssembly.Load(project.AssemblyName!));

    private sealed record ServiceAssembly(string Name, IReadOnlyList<string> References)
    {
        public static ServiceAssembly Load(string name)
        {
            using var file = new PEReader(File.OpenRead(Path.Combine(AppContext.BaseDirectory, name + ".dll")));
            var metadata = file.GetMetadataReader();
            return new ServiceAssembly(name, [.. metadata.AssemblyReferences.Select(handle =>
                metadata.GetString(metadata.GetAssemblyReference(handle).Name))]);
        }
    }
}
