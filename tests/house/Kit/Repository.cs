using System.Diagnostics;
using System.Xml.Linq;

namespace StripeMeter.House.Tests.Kit;

/// <summary>The files of the repository that the tests were built from.</summary>
internal static class Repository
{
    public static string Root => Kits.Files.Repository.Root;

    public static string PathOf(string relativePath) => Kits.Files.Repository.PathOf(relativePath);

    public static string Read(string relativePath) => File.ReadAllText(PathOf(relativePath));

    /// <summary>Files under version control, as paths relative to the root.</summary>
    public static async Task<IReadOnlyList<string>> TrackedFilesAsync()
    {
        var names = await OutputOfAsync("git", "ls-files", "-z");
        // A file that is deleted and not yet committed is still listed.
        return [.. names.Split('\0', StringSplitOptions.RemoveEmptyEntries).Where(name => File.Exists(PathOf(name)))];
    }

    /// <summary>What a program prints, run at the root.</summary>
    public static async Task<string> OutputOfAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = Root, RedirectStandardOutput = true,
        })!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        return output;
    }

    public static async Task<IReadOnlyList<Project>> ProjectsAsync() =>
        [.. (await TrackedFilesAsync()).Where(file => file.EndsWith(".csproj", StringComparison.Ordinal)).Select(file => new Project(file))];
}

/// <summary>A project file, as far as the rules of the house go.</summary>
internal sealed class Project(string path)
{
    private readonly XDocument _content = XDocument.Load(Repository.PathOf(path));

    /// <summary>Path from the root of the repository.</summary>
    public string Path { get; } = path;

    /// <summary>Its folder, such as <c>services/ingest</c>.</summary>
    public string Folder { get; } = System.IO.Path.GetDirectoryName(path)!.Replace('\\', '/');

    public string? AssemblyName => _content.Descendants("AssemblyName").SingleOrDefault()?.Value;

    public IEnumerable<XElement> Packages => _content.Descendants("PackageReference");

    /// <summary>Folders of the projects it references.</summary>
    public IEnumerable<string> References => _content.Descendants("ProjectReference")
        .Select(reference => System.IO.Path.Combine(Folder, reference.Attribute("Include")!.Value))
        .Select(file => System.IO.Path.GetRelativePath(Repository.Root, System.IO.Path.GetFullPath(file, Repository.Root)))
        .Select(file => System.IO.Path.GetDirectoryName(file)!.Replace('\\', '/'));
}
