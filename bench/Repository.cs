namespace StripeMeter.Bench;

/// <summary>Where this program was built, and what was built beside it.</summary>
internal static class Repository
{
    private static readonly DirectoryInfo Own = new(AppContext.BaseDirectory);

    public static string Root { get; } = FindRoot();

    /// <summary>Debug or Release: of this program, and of what it drives.</summary>
    public static string Configuration => Own.Parent!.Name;

    /// <summary>A service, built in the same configuration as this program.</summary>
    /// <exception cref="InvalidOperationException">It is not built.</exception>
    public static string AssemblyOf(string service, string name)
    {
        var assembly = Path.Combine(Root, "services", service, "bin", Configuration, Own.Name, name + ".dll");
        return File.Exists(assembly)
            ? assembly
            : throw new InvalidOperationException($"Build it first: dotnet build -c {Configuration} services/{service}");
    }

    private static string FindRoot()
    {
        for (var folder = Own; folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "stripemeter.sln")))
                return folder.FullName;
        }

        throw new InvalidOperationException("This program runs inside its repository only.");
    }
}
