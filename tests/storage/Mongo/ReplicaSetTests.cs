using MongoDB.Bson;
using MongoDB.Driver;

namespace StripeMeter.Storage.Tests.Mongo;

/// <summary>What only a real replica set shows: writers that truly run at once, and a majority that changes its mind.</summary>
public sealed class ReplicaSetTests(MongoServer server) : IClassFixture<MongoServer>, IDisposable
{
    private readonly CancellationTokenSource _limit = new(TimeSpan.FromMinutes(2));

    [Fact]
    public async Task Append_ManyWritersAtOnce_EachKeyStandsOnceWithoutGaps()
    {
        server.RequireReal("concurrency");
        await new RivalWriters(server, _limit.Token).WriteAndCheckAsync(_ => Task.CompletedTask);
    }

    [Fact]
    public async Task Append_WhileThePrimaryStepsDown_LosesNothingAcknowledged()
    {
        server.RequireReal("write concern and failover");
        await new RivalWriters(server, _limit.Token).WriteAndCheckAsync(_ => StepDownAsync());
    }

    public void Dispose() => _limit.Dispose();

    /// <summary>Another member is elected, or the only one again; writes fail meanwhile, and some get lost.</summary>
    private async Task StepDownAsync()
    {
        try
        {
            await server.CommandAsync(new BsonDocument { { "replSetStepDown", 5 }, { "force", true } });
        }
        catch (MongoException)
        {
            // A member that steps down may close the connection before it has answered.
        }
    }
}
