using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace StripeMeter.EndToEnd.Tests;

/// <summary>Listings go on behind every page, and refuse cursors that they did not make.</summary>
public sealed class PagingTests(RefusalTests.Fixture fixture) : IClassFixture<RefusalTests.Fixture>, IAsyncLifetime
{
    private const string Tenant = "paging";
    private const int Events = 5;

    /// <summary>Addresses of listings, and the member of the answer that holds the entries.</summary>
    public static TheoryData<string, string> Listings => new()
    {
        { "/v1/events?", "events" }, { "/v1/events?sort=metric&", "events" }, { "/v1/events?sort=customerRef&", "events" },
        { "/v1/events?sort=source&", "events" }, { "/v1/counters?", "counters" }, { "/v1/adjustments?", "adjustments" },
        { "/v1/events/conflicts?", "conflicts" },
    };

    public async ValueTask InitializeAsync()
    {
        var now = TimeProvider.System.GetUtcNow();
        foreach (var kind in (string[])["timely", "late", "clash"])
        {
            await fixture.System.IngestAsync([.. Enumerable.Range(0, Events).Select(number => (object)new
            {
                tenantId = Tenant, metric = $"m{number}", customerRef = $"c{number}", quantity = kind == "clash" ? 2 : 1,
                ts = (kind == "late" ? now.AddDays(-3) : now).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
                idempotencyKey = $"{(kind == "late" ? "late" : "k")}{number}",
            })]);
        }

        await fixture.System.UntilCountedAsync(Tenant);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory, MemberData(nameof(Listings))]
    public async Task List_PageByPage_IsWhatOneListingHolds(string address, string entries)
    {
        var whole = await fixture.System.GetAsync($"{address}tenantId={Tenant}&limit=100");
        var pages = new List<string>();
        var cursor = "";
        do
        {
            var page = await fixture.System.GetAsync($"{address}tenantId={Tenant}&limit=2{cursor}");
            pages.AddRange(page[entries]!.AsArray().Select(entry => entry!.ToJsonString()));
            cursor = (string?)page["nextCursor"] is { } next ? $"&cursor={Uri.EscapeDataString(next)}" : "";
        }
        while (cursor.Length > 0);

        Assert.True(pages.Count >= Events);
        Assert.Equal(whole[entries]!.AsArray().Select(entry => entry!.ToJsonString()), pages);
    }

    [Theory, MemberData(nameof(Listings))]
    public async Task List_CursorOfNobody_IsRefused(string address, string entries)
    {
        Assert.NotEmpty(entries);
        foreach (var forged in (string[])["{}", "null", "[]", "7", """{"Value":null}""", "{\"Metric\":1}", "x"])
        {
            var cursor = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(forged));
            using var response = await fixture.System.Rest.GetAsync(
                new Uri($"{address}tenantId={Tenant}&limit=2&cursor={cursor}", UriKind.Relative));

            Assert.True(response.StatusCode == HttpStatusCode.BadRequest, $"{forged} is answered {response.StatusCode}.");
        }
    }

    [Theory]
    [InlineData("sort=metric", "sort=source")]
    [InlineData("sort=source", "sort=metric")]
    [InlineData("sort=metric", "sort=customerRef")]
    [InlineData("sort=metric", "")]
    [InlineData("", "sort=customerRef")]
    [InlineData("sortDir=asc", "sortDir=desc")]
    public async Task Events_CursorOfAnotherOrder_IsRefused(string made, string used)
    {
        var page = await fixture.System.GetAsync($"/v1/events?tenantId={Tenant}&limit=1&{made}");

        Assert.Equal("cursor is one of another order", await RefusalOfEventsAsync($"{used}&cursor={(string)page["nextCursor"]!}"));
    }

    [Theory]
    [InlineData("sort=source", """{"Order":4,"Ascending":false,"Value":"x","Ticks":0,"Shard":0,"Position":0}""")]
    [InlineData("sort=source", """{"Order":4,"Ascending":false,"Value":"99999999999","Ticks":0,"Shard":0,"Position":0}""")]
    [InlineData("sort=ts", """{"Order":1,"Ascending":false,"Value":"","Ticks":9223372036854775807,"Shard":0,"Position":0}""")]
    [InlineData("sort=ts", """{"Order":1,"Ascending":false,"Value":"","Ticks":0,"Shard":-1,"Position":0}""")]
    public async Task Events_CursorOfNoPlace_IsRefused(string sort, string forged) => Assert.Equal(
        "cursor is not one that a listing gave",
        await RefusalOfEventsAsync($"{sort}&cursor={Base64Url.EncodeToString(Encoding.UTF8.GetBytes(forged))}"));

    [Theory]
    [InlineData("""{"Ticks":0,"Shard":0,"Position":0,"From":-9223372036854775808,"To":0}""")]
    [InlineData("""{"Ticks":0,"Shard":0,"Position":0,"From":0,"To":9223372036854775807}""")]
    [InlineData("""{"Ticks":9223372036854775807,"Shard":0,"Position":0,"From":0,"To":0}""")]
    public async Task Replay_CursorOfNoPlace_IsRefused(string forged)
    {
        var body = new { tenantId = Tenant, cursor = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(forged)) };
        using var response = await fixture.System.Rest.PostAsJsonAsync(new Uri("/v1/replay", UriKind.Relative), body);

        Assert.Equal("cursor is not one that an answer gave", await RefusalAsync(response));
    }

    private async Task<string> RefusalOfEventsAsync(string query)
    {
        using var response = await fixture.System.Rest.GetAsync(new Uri($"/v1/events?tenantId={Tenant}&{query}", UriKind.Relative));
        return await RefusalAsync(response);
    }

    private static async Task<string> RefusalAsync(HttpResponseMessage response)
    {
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var error = JsonNode.Parse(await response.Content.ReadAsStringAsync())!["errors"]![0]!;
        return $"{error["field"]} {error["reason"]}";
    }
}
