using StripeMeter.Access.Tests.Kit;
using Xunit;

namespace StripeMeter.Access.Tests.Limits;

/// <summary>A system that serves few requests at a time.</summary>
public sealed class NarrowSystem : GuardedSystem
{
    public const int ConcurrentRequests = 10;

    protected override IEnumerable<KeyValuePair<string, string?>> Settings => [new("API_CONCURRENT_REQUESTS", "10")];
}

/// <summary>Many times more than what can be served: nothing that was acknowledged is lost, and memory does not grow with what is refused.</summary>
public sealed class OverloadTests(NarrowSystem system) : IClassFixture<NarrowSystem>
{
    private const int Clients = NarrowSystem.ConcurrentRequests * 10;
    private const int RequestsOfAClient = 20;
    private const long GrowthLimitBytes = 256L * 1024 * 1024;

    [Fact]
    public async Task Overload_TenTimesTheCapacity_CountsWhatWasAcknowledgedAndNothingElse()
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);

        var clients = await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => Task.Run(() => SendAllAsync(client))));

        var acknowledged = clients.Sum(client => client.Acknowledged);
        var refused = clients.Sum(client => client.Refused);
        Assert.Equal(Clients * RequestsOfAClient, acknowledged + refused);
        Assert.True(refused > 0, "Nothing was refused: this was no overload.");
        Assert.True(acknowledged > 0, "Nothing was served.");
        await system.UntilCountedAsync(system.Acme);
        var usage = await system.GetAsync(system.Acme, "/v1/usage/current?customerRef=overload");
        Assert.Equal(acknowledged, (long)usage.Json["metrics"]![0]!["current"]!);
        var growth = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.True(growth < GrowthLimitBytes, $"Memory grew by {growth} bytes.");
    }

    private async Task<(long Acknowledged, long Refused)> SendAllAsync(int client)
    {
        var (acknowledged, refused) = (0L, 0L);
        for (var request = 0; request < RequestsOfAClient; request++)
        {
            var answer = await system.PostAsync(
                system.Acme, "/v1/events/ingest", GuardedSystem.Event(null, $"overload {client} {request}", customer: "overload"));
            if (answer.Code == 200)
            {
                acknowledged++;
                continue;
            }

            Assert.Equal(503, answer.Code);
            Assert.Equal("1", answer.Headers["Retry-After"]);
            refused++;
        }

        return (acknowledged, refused);
    }
}
