using System.Net;
using System.Text.Json.Nodes;
using StripeMeter.Access.Tests.Kit;
using StripeMeter.Defaults.Configuration;
using StripeMeter.Ingest.Subscribing;
using StripeMeter.Kits.Waiting;
using StripeMeter.Metering.Tenants;
using Xunit;

namespace StripeMeter.Access.Tests.Guarding;

/// <summary>A system with a topic whose publishers bring usage of acme. Whose the shared topic takes is not said, so it is nobody's.</summary>
public sealed class PublishingSystem : GuardedSystem
{
    public const string AcmesTopic = "usage.events.acme";

    protected override IEnumerable<KeyValuePair<string, string?>> Settings => [new("USAGE_EVENTS_PUBLISHERS", AcmesTopic + "=acme")];
}

/// <summary>Messages carry no key: a publisher brings the usage of those tenants that its topic takes, whatever it writes.</summary>
public sealed class PublisherIsolationTests(PublishingSystem system) : IClassFixture<PublishingSystem>
{
    private const string SharedTopic = "usage.events";
    private const string OperatorsTenant = "unattributed";

    [Fact]
    public async Task Publish_ToATopicOfNobody_IsKeptForTheOperatorAndCountsNowhere()
    {
        var operatorsKey = await system.MakeKeyAsync(OperatorsTenant);

        await PublishAsync(SharedTopic, "acme", "shared");

        var letter = await UntilLetterAsync(operatorsKey, "shared");
        Assert.Equal("tenantId", (string?)letter["field"]);
        await AssertUnknownAsync(system.Acme, "shared");
    }

    [Fact]
    public async Task Publish_ToTheTopicOfATenant_IsThatTenants()
    {
        await PublishAsync(PublishingSystem.AcmesTopic, "acme", "named");
        await PublishAsync(PublishingSystem.AcmesTopic, null, "unnamed");

        await Patience.UntilAsync(async () => (await system.GetAsync(system.Acme, "/v1/events?customerRef=cus_published")).Json["events"]!.AsArray()
            .Select(found => (string)found!["id"]!).Order().SequenceEqual(["named", "unnamed"]));
    }

    /// <summary>Half of a surrogate pair in a name: JSON, but no text.</summary>
    [Theory]
    [InlineData("""{"\ud800 that is longer":1,"mark":"broken message"}""", "broken message", "message")]
    [InlineData("""{"events":[{"\ud800 that is longer":1,"mark":"broken event"}]}""", "broken event", "event")]
    public async Task Publish_ANameThatIsNoText_IsKeptAsADeadLetter(string message, string mark, string field)
    {
        await PublishAsync(PublishingSystem.AcmesTopic, message);

        Assert.Equal(field, (string?)(await UntilLetterAsync(system.Acme, mark))["field"]);
    }

    [Fact]
    public async Task Redrive_OfAnEventWithoutATenant_IsOfTheTenantWhoseTopicItCameBy()
    {
        var early = GuardedSystem.Event(null, "early", customer: "cus_published")["events"]![0]!;
        early["ts"] = "2999-01-01T00:00:00Z";
        await PublishAsync(PublishingSystem.AcmesTopic, early.ToJsonString());
        var letter = await UntilLetterAsync(system.Acme, "early");

        var redriven = await system.PostAsync(system.Acme, "/v1/events/dead-letters/redrive", new JsonObject { ["ids"] = new JsonArray((string)letter["id"]!) });

        // Its time has not come yet, and nothing else is wrong with it.
        Assert.Equal("ts", (string?)letter["field"]);
        Assert.StartsWith("ts ", (string?)redriven.Json["results"]![0]!["error"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Publish_UsageOfAnotherTenant_IsRefusedAlsoWhenItIsRedriven()
    {
        await PublishAsync(PublishingSystem.AcmesTopic, "beta", "foreign");

        var letter = await UntilLetterAsync(system.Acme, "foreign");
        var redriven = await system.PostAsync(system.Acme, "/v1/events/dead-letters/redrive", new JsonObject { ["ids"] = new JsonArray((string)letter["id"]!) });
        Assert.Equal("error", (string?)redriven.Json["results"]![0]!["status"]);
        await AssertUnknownAsync(system.Beta, "foreign");
    }

    [Theory]
    [InlineData("/subscriptions/usage.events.acme")]
    [InlineData("/subscriptions/usage.events.acme.dead")]
    public async Task Delivery_ThatPosesAsGrpcWithoutTheToken_StoresNothing(string path)
    {
        var message = new JsonObject { ["data"] = GuardedSystem.Event("acme", "posing") }.ToJsonString();

        Assert.Equal(HttpStatusCode.Unauthorized, await system.PoseAsGrpcAsync(HttpMethod.Post, "ingest", path, message));

        await AssertUnknownAsync(system.Acme, "posing");
    }

    [Theory]
    [InlineData("", false, "usage.events", false)]
    [InlineData("", true, "usage.events", true)]
    [InlineData("usage.events=acme", true, "usage.events", false)]
    [InlineData("usage.events.a=*", false, "usage.events", false)]
    [InlineData("usage.events.a=*", false, "usage.events.a", true)]
    [InlineData("usage.events=acme|beta, usage.events.b=gamma", false, "usage.events", true)]
    [InlineData("usage.events=acme|beta, usage.events.b=gamma", false, "usage.events.b", false)]
    public void Topics_ByTheirSetting_TakeUsageOfThoseTenants(string setting, bool isOpen, string topic, bool takesBeta)
    {
        var topics = new PublisherTopics(setting, isOpen);

        Assert.Equal(takesBeta, Assert.Single(topics.All, found => found.Name == topic).Publishers.Reaches(new TenantId("beta")));
    }

    [Theory]
    [InlineData("usage.events=a,usage.events=b")]
    [InlineData("usage.events.dead=a")]
    public void Topics_ThatCannotBe_AreRefused(string setting) =>
        Assert.Throws<InvalidSettingException>(() => new PublisherTopics(setting, isOpen: false));

    private Task PublishAsync(string topic, string? tenant, string key) =>
        PublishAsync(topic, GuardedSystem.Event(tenant, key, customer: "cus_published")["events"]![0]!.ToJsonString());

    private async Task PublishAsync(string topic, string message)
    {
        using var publisher = new HttpClient { BaseAddress = system.Publisher };
        using var content = new StringContent(message, System.Text.Encoding.UTF8, "application/json");
        using var answer = await publisher.PostAsync(new Uri($"/v1.0/publish/pubsub/{topic}", UriKind.Relative), content);
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
    }

    private async Task<JsonNode> UntilLetterAsync(string key, string eventKey)
    {
        JsonNode? letter = null;
        await Patience.UntilAsync(async () => (letter = (await system.GetAsync(key, "/v1/events/dead-letters")).Json["deadLetters"]!.AsArray()
            .FirstOrDefault(found => ((string)found!["content"]!).Contains(eventKey, StringComparison.Ordinal))) is not null);
        return letter!;
    }

    private async Task AssertUnknownAsync(string key, string eventKey)
    {
        Assert.DoesNotContain(eventKey, (await system.GetAsync(key, "/v1/events?limit=100")).Text, StringComparison.Ordinal);
        Assert.DoesNotContain(eventKey, (await system.GetAsync(key, "/v1/events/dead-letters")).Text, StringComparison.Ordinal);
    }
}
