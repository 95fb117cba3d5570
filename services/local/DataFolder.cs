using StripeMeter.Defaults.Configuration;

namespace StripeMeter.Local;

/// <summary>The folder of a running system, held so that no second system writes into it.</summary>
internal sealed class DataFolder : IDisposable
{
    private readonly FileStream _lock;

    private DataFolder(string path, FileStream held) => (Path, _lock) = (path, held);

    public string Path { get; }

    /// <exception cref="InvalidSettingException">The folder cannot be used, or another system runs in it.</exception>
    public static DataFolder Open(string directory)
    {
        var path = System.IO.Path.GetFullPath(directory);
        try
        {
            Directory.CreateDirectory(path);
            var file = System.IO.Path.Combine(path, "in-use");
            return new DataFolder(path, new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException problem)
        {
            throw new InvalidSettingException($"The data folder {path} cannot be used; another StripeMeter may run in it. ({problem.Message})", problem);
        }
        catch (UnauthorizedAccessException problem)
        {
            throw new InvalidSettingException($"The data folder {path} cannot be used: {problem.Message}", problem);
        }
    }

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => _lock.Dispose();
}
