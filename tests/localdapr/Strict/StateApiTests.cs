using System.Net;
using System.Text;
using Dapr.Actors;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using StripeMeter.LocalDapr.Tests.Actors;
using StripeMeter.LocalDapr.Tests.Kit;

namespace StripeMeter.LocalDapr.Tests.Strict;

/// <summary>The state API of an active actor, spoken by hand.</summary>
public sealed class StateApiTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 24, 0, 0, 0, TimeSpan.Zero));

    private async Task<(TestGroup Group, HttpClient Http)> StartAsync(Func<LocalDaprOptions, LocalDaprOptions>? change = null,
        bool activate = true)
    {
        var group = await TestGroup.StartAsync(options => (change ?? (static same => same))(options with { TimeProvider = _time }));
        var app = await group.AddAppAsync(static app =>
        {
            app.Services = static services => services.AddSingleton<ActorLog>();
            app.Actors = static actors => actors.Actors.RegisterActor<CounterActor>();
        });
        if (activate)
            await app.Proxies.CreateActorProxy<ICounterActor>(new ActorId("one"), nameof(CounterActor)).Read();
        return (group, new HttpClient { BaseAddress = new Uri($"{group.Host.Sidecars["app"].HttpEndpoint}/v1.0/actors/CounterActor/one/") });
    }

    private static async Task<HttpStatusCode> SaveAsync(HttpClient http, string operations)
    {
        using var answer = await http.PutAsync(new Uri("state", UriKind.Relative),
            new StringContent(operations, Encoding.UTF8, "text/plain"));
        return answer.StatusCode;
    }

    private static string Upsert(string key, string value, string metadata = "") =>
        $$$"""[{"operation":"upsert","request":{"key":"{{{key}}}","value":{{{value}}}{{{metadata}}}}}]""";

    private static Task<string> ReadAsync(HttpClient http, string key) => http.GetStringAsync(new Uri($"state/{key}", UriKind.Relative));

    [Theory]
    [InlineData("9007199254740993", "9007199254740992", true)]
    [InlineData("9007199254740993", "9007199254740993", false)]
    [InlineData("""{"a":[1,0.12345678901234567890123],"b":"x"}""", """{"a":[1,0.12345678901234568],"b":"x"}""", true)]
    [InlineData("123456789012345678901", "123456789012345680000", true)]
    [InlineData("1e30", "1e+30", true)]
    [InlineData("0.1", "0.1", true)]
    [InlineData("\"9007199254740993\"", "\"9007199254740993\"", true)]
    public async Task Numbers_AreRoundedThroughDouble_InStrictModeOnly(string sent, string stored, bool strict)
    {
        var (group, http) = await StartAsync(options => options with { Strict = strict });
        await using var _ = group;
        using var client = http;

        Assert.Equal(HttpStatusCode.NoContent, await SaveAsync(http, Upsert("key", sent)));

        Assert.Equal(stored, await ReadAsync(http, "key"));
    }

    [Theory]
    [InlineData("""{"a":"$field"}""", true, HttpStatusCode.InternalServerError)]
    [InlineData("""{"$set":1}""", true, HttpStatusCode.InternalServerError)]
    [InlineData("""["$x"]""", true, HttpStatusCode.InternalServerError)]
    [InlineData("\"$top\"", true, HttpStatusCode.NoContent)]
    [InlineData("""{"a":"$field"}""", false, HttpStatusCode.NoContent)]
    public async Task Dollars_NestedOnes_AreRefused_InStrictModeOnly(string value, bool strict, HttpStatusCode expected)
    {
        var (group, http) = await StartAsync(options => options with { Strict = strict });
        await using var _ = group;
        using var client = http;

        Assert.Equal(expected, await SaveAsync(http, Upsert("key", value)));
    }

    [Fact]
    public async Task AbsentKey_Is204WithoutBody()
    {
        var (group, http) = await StartAsync();
        await using var _ = group;
        using var client = http;

        using var answer = await http.GetAsync(new Uri("state/absent", UriKind.Relative));

        Assert.Equal((HttpStatusCode.NoContent, ""), (answer.StatusCode, await answer.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task Transaction_SeveralOperations_AreAppliedTogether()
    {
        var (group, http) = await StartAsync();
        await using var _ = group;
        using var client = http;
        await SaveAsync(http, Upsert("a", "\"old\""));

        var status = await SaveAsync(http, """
            [{"request":{"value":{"deep":["x"]},"key":"b"},"operation":"upsert"},
             {"operation":"delete","request":{"key":"a"}},
             {"operation":"upsert","request":{"key":"c","value":null}}]
            """);

        Assert.Equal(HttpStatusCode.NoContent, status);
        Assert.Equal("""{"deep":["x"]}""", await ReadAsync(http, "b"));
        Assert.Equal("", await ReadAsync(http, "a"));
        Assert.Equal("null", await ReadAsync(http, "c"));
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("""[{"operation":"upsert","request":{"value":1}}]""")]
    [InlineData("""[{"operation":"swap","request":{"key":"a"}}]""")]
    [InlineData("""[{"operation":"upsert","request":{"key":"a","value":1}}""")]
    public async Task Transaction_Malformed_IsRefusedWhole(string body)
    {
        var (group, http) = await StartAsync();
        await using var _ = group;
        using var client = http;

        Assert.Equal(HttpStatusCode.BadRequest, await SaveAsync(http, body));
        Assert.Equal("", await ReadAsync(http, "a"));
    }

    [Fact]
    public async Task Save_OfAnActorThatIsNotActive_IsRefused_AndReadingIsNot()
    {
        var (group, http) = await StartAsync(activate: false);
        await using var _ = group;
        using var client = http;

        using var answer = await http.PutAsync(new Uri("state", UriKind.Relative), new StringContent(Upsert("key", "1")));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("ERR_ACTOR_INSTANCE_MISSING", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("", await ReadAsync(http, "key"));
    }

    [Fact]
    public async Task Ttl_WithoutTheFeature_IsRefused()
    {
        var (group, http) = await StartAsync();
        await using var _ = group;
        using var client = http;

        Assert.Equal(HttpStatusCode.BadRequest, await SaveAsync(http, Upsert("key", "1", ""","metadata":{"ttlInSeconds":"10"}""")));
    }

    [Fact]
    public async Task Ttl_Expires_IsReplacedAndRemovedByLaterSaves()
    {
        var (group, http) = await StartAsync(static options =>
            options with { Resources = options.Resources with { Features = new HashSet<string> { "ActorStateTTL" } } });
        await using var _ = group;
        using var client = http;
        foreach (var key in new[] { "ends", "renewed", "kept" })
            Assert.Equal(HttpStatusCode.NoContent, await SaveAsync(http, Upsert(key, "\"v\"", ""","metadata":{"ttlInSeconds":"10"}""")));
        using (var answer = await http.GetAsync(new Uri("state/ends", UriKind.Relative)))
            Assert.Equal("2026-11-24T00:00:10Z", answer.Headers.GetValues("Metadata.ttlExpireTime").Single());
        await SaveAsync(http, Upsert("renewed", "\"v\"", ""","metadata":{"ttlInSeconds":"30"}"""));
        await SaveAsync(http, Upsert("kept", "\"v\""));

        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(["", "\"v\"", "\"v\""],
            new[] { await ReadAsync(http, "ends"), await ReadAsync(http, "renewed"), await ReadAsync(http, "kept") });
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(["", "\"v\""], new[] { await ReadAsync(http, "renewed"), await ReadAsync(http, "kept") });
    }

    [Fact]
    public async Task Body_OverTheLimit_IsRefused()
    {
        var (group, http) = await StartAsync();
        await using var _ = group;
        using var client = http;

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge,
            await SaveAsync(http, Upsert("key", $"\"{new string('x', LocalDaprApp.DefaultMaximumBodyBytes)}\"")));
    }

    [Theory]
    [InlineData(true, HttpStatusCode.RequestHeaderFieldsTooLarge)]
    [InlineData(false, HttpStatusCode.NoContent)]
    public async Task Headers_OverTheLimit_AreRefused_InStrictModeOnly(bool strict, HttpStatusCode expected)
    {
        var (group, http) = await StartAsync(options => options with { Strict = strict });
        await using var _ = group;
        using var client = http;
        http.DefaultRequestHeaders.Add("x-fat", new string('x', 5000));

        using var answer = await http.GetAsync(new Uri("state/absent", UriKind.Relative));

        Assert.Equal(expected, answer.StatusCode);
    }

    [Theory]
    [InlineData("P1D")]
    [InlineData("R5/P1M")]
    [InlineData("P1Y2M")]
    public async Task ReminderPeriod_WithDaysOrLonger_IsRefused(string period)
    {
        var (group, http) = await StartAsync();
        await using var _ = group;
        using var client = http;

        using var answer = await http.PutAsync(new Uri("reminders/r", UriKind.Relative), new StringContent($$"""{"dueTime":"1s","period":"{{period}}"}"""));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task Reminder_Missing_Is404()
    {
        var (group, http) = await StartAsync();
        await using var _ = group;
        using var client = http;

        using var answer = await http.GetAsync(new Uri("reminders/none", UriKind.Relative));

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Contains("ERR_ACTOR_REMINDER_NOT_FOUND", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reminder_WithoutOverwrite_DoesNotReplace()
    {
        var (group, http) = await StartAsync();
        await using var _ = group;
        using var client = http;
        using var first = await http.PutAsync(new Uri("reminders/r", UriKind.Relative), new StringContent("""{"dueTime":"1h","period":"PT5S","data":{"a":1}}"""));
        using var second = await http.PutAsync(new Uri("reminders/r", UriKind.Relative), new StringContent("""{"dueTime":"2h","overwrite":false}"""));

        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.Conflict), (first.StatusCode, second.StatusCode));
        Assert.Equal("""{"actorID":"one","actorType":"CounterActor","data":{"a":1},"dueTime":"1h","period":"PT5S"}""", await http.GetStringAsync(new Uri("reminders/r", UriKind.Relative)));
    }
}
