using System.Globalization;
using System.Text.Json.Nodes;
using Xunit;

namespace StripeMeter.EndToEnd.Tests;

/// <summary><c>GET /v1/counters/query</c>: windows, time zones, groups, filters, the greatest, pages.</summary>
public sealed class CounterQueryTests(RefusalTests.Fixture fixture) : IClassFixture<RefusalTests.Fixture>
{
    private const string Metric = EmbeddedSystem.NeverLate;
    private readonly EmbeddedSystem _system = fixture.System;

    /// <summary>Summer time ends on 2025-10-26 in Berlin: the day has 25 hours, and the hour from two comes twice.</summary>
    [Theory]
    [InlineData("hour", "2025-10-25T23:00:00Z=1", "2025-10-26T00:00:00Z=2", "2025-10-26T01:00:00Z=4", "2025-10-26T22:00:00Z=8", "2025-10-26T23:00:00Z=16")]
    [InlineData("day", "2025-10-25T22:00:00Z=15", "2025-10-26T23:00:00Z=16")]
    [InlineData("week", "2025-10-19T22:00:00Z=15", "2025-10-26T23:00:00Z=16")]
    [InlineData("month", "2025-09-30T22:00:00Z=31")]
    [InlineData("minute", "2025-10-25T23:30:00Z=1", "2025-10-26T00:30:00Z=2", "2025-10-26T01:30:00Z=4", "2025-10-26T22:59:00Z=8", "2025-10-26T23:00:00Z=16")]
    [InlineData("", "2025-10-01T00:00:00Z=31")]
    public async Task Windows_OverAChangeOfTheClock_BeginByTheClockOnTheWall(string window, params string[] expected)
    {
        var tenant = "windows-" + window;
        string[] times = ["2025-10-25T23:30:00Z", "2025-10-26T00:30:00Z", "2025-10-26T01:30:00Z", "2025-10-26T22:59:59.9999999Z", "2025-10-26T23:00:00Z"];
        await _system.IngestAsync([.. times.Select((time, index) => Event(tenant, "c", 1 << index, time))]);

        var answer = await QueryAsync(tenant, $"since=2025-10-01T00:00:00Z&until=2025-11-01T00:00:00Z&timeZone=Europe/Berlin&window={window}");

        Assert.Equal(expected, answer.Select(row => $"{row!["start"]}={row["value"]!.ToJsonString()}"));
    }

    [Fact]
    public async Task Groups_ByCustomerResourceAndMeta_AreExact()
    {
        const string Tenant = "query-groups";
        await _system.IngestAsync(
            Event(Tenant, "a", 0.1m, "2026-01-01T00:00:00Z", "r1", new { region = "eu", tier = 1 }),
            Event(Tenant, "b", 0.2m, "2026-01-01T00:00:01Z", "r1", new { region = "us" }),
            Event(Tenant, "a", 123456789012345.123456789012m, "2026-01-01T00:00:02Z", null, new { region = "eu" }),
            Event(Tenant, "b", 4m, "2026-01-01T00:00:03Z"));

        Assert.Equal(["a=123456789012345.223456789012", "b=4.2"], await GroupsAsync(Tenant, "groupBy=customerRef"));
        Assert.Equal(["=123456789012349.123456789012", "r1=0.3"], await GroupsAsync(Tenant, "groupBy=resourceId"));
        Assert.Equal(["=4", "eu=123456789012345.223456789012", "us=0.2"], await GroupsAsync(Tenant, "groupBy=meta.region"));
        Assert.Equal(["eu=1"], await GroupsAsync(Tenant, "groupBy=meta.region&aggregation=count&metaKey=tier&metaValue=1"));
        Assert.Equal(["a=0.1"], await GroupsAsync(Tenant, "groupBy=customerRef&resourceId=r1&customerRef=a"));
        Assert.Equal(["b=2"], await GroupsAsync(Tenant, "groupBy=customerRef&aggregation=count&top=1&since=2026-01-01T00:00:01Z&until=2026-01-01T00:00:04Z"));
        Assert.Equal(["a=0.1", "b=0.2"], await GroupsAsync(Tenant, "groupBy=customerRef&aggregation=min"));
    }

    [Fact]
    public async Task Pages_ByCursor_NeitherOverlapNorSkip()
    {
        const string Tenant = "query-pages";
        var events = Enumerable.Range(0, 60).Select(index =>
            Event(Tenant, $"c{index % 7}", index, FormattableString.Invariant($"2026-01-{1 + (index % 5):D2}T00:00:00Z"))).ToArray();
        events[0] = Event(Tenant, "c0", 60, "2026-01-01T00:00:00Z");
        await _system.IngestAsync(events);
        const string Question = "since=2026-01-01T00:00:00Z&window=day&groupBy=customerRef";
        var whole = (await QueryAsync(Tenant, Question + "&limit=1000")).Select(row => row!.ToJsonString()).ToList();

        var paged = new List<string>();
        string? cursor = "";
        while (cursor is not null)
        {
            var page = await _system.GetAsync($"/v1/counters/query?tenantId={Tenant}&metric={Metric}&{Question}&limit=4&cursor={cursor}");
            paged.AddRange(page["windows"]!.AsArray().Select(row => row!.ToJsonString()));
            cursor = (string?)page["nextCursor"];
        }

        Assert.Equal(35, whole.Count);
        Assert.Equal(whole, paged);
    }

    [Fact]
    public async Task Windows_OfAnyEvents_AreWhatAddingThemUpGives()
    {
        const string Tenant = "query-any";
        var start = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        var random = new Random(20260101);
        var events = Enumerable.Range(0, 300).Select(_ => (
            Customer: $"c{random.Next(4)}", Time: start.AddSeconds(random.Next(40 * 24 * 3600)),
            Quantity: random.NextInt64(1, 1_000_000_000_000) / 1_000_000m)).ToArray();
        await _system.IngestAsync([.. events.Select(item => Event(
            Tenant, item.Customer, item.Quantity, item.Time.ToString("O", CultureInfo.InvariantCulture)))]);

        var answer = await QueryAsync(Tenant, "since=2026-01-01T00:00:00Z&until=2026-03-01T00:00:00Z&window=day&groupBy=customerRef&limit=1000");

        var expected = events.GroupBy(item => (item.Time.Date, item.Customer)).OrderBy(group => group.Key.Date).ThenBy(group => group.Key.Customer, StringComparer.Ordinal)
            .Select(group => $"{group.Key.Date:yyyy-MM-dd}T00:00:00Z {group.Key.Customer} {group.Sum(item => item.Quantity).ToString("0.######", CultureInfo.InvariantCulture)} {group.Count()}");
        Assert.Equal(expected, answer.Select(row => $"{row!["start"]} {row["group"]} {row["sum"]!.ToJsonString()} {row["count"]}"));
    }

    [Theory]
    [InlineData("", "since")]
    [InlineData("since=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z", "until")]
    [InlineData("since=2026-01-01T00:00:00Z&timeZone=Mars/Olympus", "timeZone")]
    [InlineData("since=2026-01-01T00:00:00Z&window=year", "window")]
    [InlineData("since=2026-01-01T00:00:00Z&groupBy=meta.", "groupBy")]
    [InlineData("since=2026-01-01T00:00:00Z&metaValue=1", "metaKey")]
    [InlineData("since=2026-01-01T00:00:00Z&cursor=x", "cursor")]
    [InlineData("since=2026-01-01T00:00:00Z&top=1001", "top")]
    public async Task Questions_ThatCannotBeAnswered_NameTheParameter(string question, string parameter)
    {
        using var response = await _system.Rest.GetAsync(
            new Uri($"/v1/counters/query?tenantId=query-refused&metric={Metric}&{question}", UriKind.Relative));
        var problem = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;

        Assert.Equal(400, (int)response.StatusCode);
        Assert.Equal(parameter, (string)problem["errors"]![0]!["field"]!);
    }

    private async Task<JsonArray> QueryAsync(string tenant, string question) =>
        (await _system.GetAsync($"/v1/counters/query?tenantId={tenant}&metric={Metric}&{question}"))["windows"]!.AsArray();

    private async Task<IEnumerable<string>> GroupsAsync(string tenant, string question)
    {
        var since = question.Contains("since=", StringComparison.Ordinal) ? "" : "since=2026-01-01T00:00:00Z&";
        return (await QueryAsync(tenant, since + question)).Select(row => $"{row!["group"]}={row["value"]!.ToJsonString()}");
    }

    private static object Event(
        string tenant, string customer, decimal quantity, string time, string? resource = null, object? meta = null) => new
    {
        tenantId = tenant, metric = Metric, customerRef = customer, quantity, ts = time, resourceId = resource, meta,
        idempotencyKey = $"{customer} {time} {quantity}",
    };
}
