namespace StripeMeter.StripeDouble.Tests.Kit;

internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("stripedouble-tests-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
