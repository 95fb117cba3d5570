using StripeMeter.Kits.Storage;

namespace StripeMeter.Storage.Tests.Sqlite;

public sealed class SqliteConformanceTests
{
    public static TheoryData<string> Points => [.. StorageKit.Points(SqliteEngine.Parts)];

    [Theory, MemberData(nameof(Points))]
    public async Task Sqlite_EveryPointOfTheKit_Holds(string point)
    {
        await using var engine = new SqliteEngine();
        await StorageKit.RunAsync(point, engine);
    }
}
