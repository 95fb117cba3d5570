using StripeMeter.Kits.Storage;

namespace StripeMeter.Storage.Tests.Mongo;

public sealed class MongoConformanceTests(MongoServer server) : IClassFixture<MongoServer>
{
    public static TheoryData<string> Points => [.. StorageKit.Points(MongoEngine.Parts)];

    [Theory, MemberData(nameof(Points))]
    public async Task Mongo_EveryPointOfTheKit_Holds(string point)
    {
        server.Require();
        await using var engine = new MongoEngine(server);
        await StorageKit.RunAsync(point, engine);
    }
}
