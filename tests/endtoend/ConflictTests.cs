using System.Text.Json.Nodes;
using Xunit;

namespace StripeMeter.EndToEnd.Tests;

public sealed class ConflictTests
{
    private const string Tenant = "clashing";

    [Fact]
    public async Task Conflict_InBatchAcrossBatchesAndRestarts_IsAnsweredWithWhatDiffersAndListed()
    {
        var system = await EmbeddedSystem.StartAsync();
        try
        {
            var first = await system.IngestAsync(Event("k1", 1), Event("k1", 2), Event("k2", 5));
            Assert.Equal(["accepted", "conflict", "accepted"], Statuses(first));
            Assert.Equal(["accepted"], Statuses(await system.IngestAsync(Event("k1", 3, tenant: "another"))));

            system = await system.RestartAsync();
            var again = await system.IngestAsync(Event("k1", 2), Event("k1", 1), Event("k2", 5, metric: "calls", meta: new { a = 1 }));

            Assert.Equal(["conflict", "duplicate", "conflict"], Statuses(again));
            var result = again["results"]![2]!;
            Assert.Equal("""[{"field":"metric","sent":"calls","standing":"m"},{"field":"meta","sent":"{\"a\":1}","standing":""}]""",
                result["differences"]!.ToJsonString().Replace("\\u0022", "\\\"", StringComparison.Ordinal));
            Assert.Equal("idempotencyKey names another event, which stands: it differs in metric, meta", (string)result["error"]!);

            var listed = await ListAsync(system, Tenant);
            Assert.Equal(["k1", "k2"], listed.Select(conflict => (string)conflict["idempotencyKey"]!).Order());
            var quantity = listed.Single(conflict => (string)conflict["idempotencyKey"]! == "k1")["differences"]![0]!;
            Assert.Equal(("quantity", "2", "1"), ((string)quantity["field"]!, (string)quantity["sent"]!, (string)quantity["standing"]!));
            Assert.Empty(await ListAsync(system, "another"));
            await system.UntilCountedAsync(Tenant);
            Assert.Equal("6", await system.CurrentAsync(Tenant, "c", "m"));
        }
        finally
        {
            await system.DisposeAsync();
        }
    }

    [Fact]
    public async Task DerivedKeys_OfDifferentEvents_AreExtendedAndBothCountForEver()
    {
        var system = await EmbeddedSystem.StartAsync();
        try
        {
            // All three have the same derived key: it leaves the quantity out.
            var first = await system.IngestAsync(Event(null, 1), Event(null, 2));
            Assert.Equal(["accepted", "accepted"], Statuses(first));
            var keys = first["results"]!.AsArray().Select(result => (string)result!["idempotencyKey"]!).ToArray();
            Assert.StartsWith(keys[0] + "_", keys[1], StringComparison.Ordinal);
            var later = await system.IngestAsync(Event(null, 3), Event(keys[0], 4));
            Assert.Equal(["accepted", "accepted"], Statuses(later));

            system = await system.RestartAsync();
            var again = await system.IngestAsync(Event(null, 2), Event(null, 1), Event(keys[0], 4), Event(null, 3), Event(keys[1], 9));

            Assert.Equal(["duplicate", "duplicate", "duplicate", "duplicate", "conflict"], Statuses(again));
            await system.UntilCountedAsync(Tenant);
            Assert.Equal("10", await system.CurrentAsync(Tenant, "c", "m"));
        }
        finally
        {
            await system.DisposeAsync();
        }
    }

    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    private static object Event(string? key, int quantity, string tenant = Tenant, string metric = "m", object? meta = null) => new
    {
        tenantId = tenant, metric, customerRef = "c", quantity, ts = Now.UtcDateTime.ToString("O"), idempotencyKey = key, meta,
    };

    private static IEnumerable<string> Statuses(JsonNode answer) =>
        answer["results"]!.AsArray().Select(result => (string)result!["status"]!);

    private static async Task<List<JsonNode>> ListAsync(EmbeddedSystem system, string tenant)
    {
        var conflicts = new List<JsonNode>();
        var cursor = "";
        do
        {
            var page = await system.GetAsync($"/v1/events/conflicts?tenantId={tenant}&limit=1&cursor={cursor}");
            conflicts.AddRange(page["conflicts"]!.AsArray().OfType<JsonNode>());
            cursor = (string?)page["nextCursor"] ?? "";
        }
        while (cursor.Length > 0);

        return conflicts;
    }
}
