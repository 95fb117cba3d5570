using StripeMeter.Defaults.Hosting;
using StripeMeter.House.Tests.Kit;

namespace StripeMeter.House.Tests.Deployment;

public sealed class ComponentTests
{
    private static readonly string[] Topics =
        [DaprNames.UsageAppendedTopic, DaprNames.CountersChangedTopic, DaprNames.UsageEventsTopic, DaprNames.UsageEventsDeadTopic];

    public static TheoryData<string> Variants => [.. Components.Variants];

    [Theory, MemberData(nameof(Variants))]
    public void Components_OfAVariant_AreTheOnesTheCodeNames(string variant)
    {
        var names = Components.Of(variant).OfKind("Component").Select(component => component["metadata"]["name"].Text);

        Assert.Equal([DaprNames.PubSub, DaprNames.StateStore], names.Order());
    }

    [Theory, MemberData(nameof(Variants))]
    public void StateStore_OfAVariant_IsTheOnlyOneForActorsAndTheAggregatorsAlone(string variant)
    {
        var components = Components.Of(variant);
        var actorStores = components.OfKind("Component").Where(component => Components.Metadata(component, "actorStateStore") == "true");
        var store = Assert.Single(actorStores);

        Assert.Equal(DaprNames.StateStore, store["metadata"]["name"].Text);
        Assert.StartsWith("state.", store["spec"]["type"].Text, StringComparison.Ordinal);
        Assert.Equal([AppCatalogue.Aggregator.Id], store["scopes"].Texts);
    }

    [Theory, MemberData(nameof(Variants))]
    public void PubSub_OfAVariant_IsLoadedByThoseWhoUseIt(string variant)
    {
        var pubsub = Components.Of(variant).Component(DaprNames.PubSub);

        Assert.StartsWith("pubsub.", pubsub["spec"]["type"].Text, StringComparison.Ordinal);
        Assert.Equal(
            [AppCatalogue.Aggregator.Id, AppCatalogue.Ingest.Id, DaprNames.PublisherApp, AppCatalogue.Pusher.Id], pubsub["scopes"].Texts.Order());
    }

    [Theory, InlineData(""), InlineData("kafka")]
    public void PubSub_WithABroker_LetsEachAppUseItsOwnTopics(string variant)
    {
        var pubsub = Components.Of(variant).Component(DaprNames.PubSub);
        var publishing = Scopes(Components.Metadata(pubsub, "publishingScopes"));
        var subscription = Scopes(Components.Metadata(pubsub, "subscriptionScopes"));

        Assert.Contains(DaprNames.UsageAppendedTopic, publishing[AppCatalogue.Ingest.Id]);
        Assert.Equal([DaprNames.CountersChangedTopic], publishing[AppCatalogue.Aggregator.Id]);
        Assert.Empty(publishing[AppCatalogue.Pusher.Id]);
        Assert.Equal([DaprNames.UsageEventsTopic], publishing[DaprNames.PublisherApp]);
        Assert.Empty(subscription[DaprNames.PublisherApp]);
        // The sidecar publishes to the dead letter topic as its app.
        Assert.Contains(DaprNames.UsageEventsDeadTopic, publishing[AppCatalogue.Ingest.Id]);
        Assert.Equal([DaprNames.UsageEventsTopic, DaprNames.UsageEventsDeadTopic], subscription[AppCatalogue.Ingest.Id]);
        Assert.Equal([DaprNames.UsageAppendedTopic], subscription[AppCatalogue.Aggregator.Id]);
        Assert.Equal([DaprNames.CountersChangedTopic], subscription[AppCatalogue.Pusher.Id]);
        Assert.Empty(publishing.Values.Concat(subscription.Values).SelectMany(topics => topics).Except(Topics));
    }

    [Theory, InlineData("durable", "true"), InlineData("deletedWhenUnused", "false"), InlineData("deliveryMode", "2"),
     InlineData("publisherConfirm", "true"), InlineData("autoAck", "false"), InlineData("requeueInFailure", "true"),
     InlineData("concurrencyMode", "parallel")]
    public void RabbitMq_Setting_IsTheOneThatLosesNothing(string name, string value)
    {
        Assert.Equal(value, Components.Metadata(Components.Of("").Component(DaprNames.PubSub), name));
    }

    /// <summary>What one sidecar publishes never reaches another one's in-memory broker, so it must not be anyone's default.</summary>
    [Fact]
    public void PubSub_InMemory_IsForTheLocalVariantOnly()
    {
        var inMemory = Components.Variants.Where(variant =>
            Components.Of(variant).Component(DaprNames.PubSub)["spec"]["type"].Text == "pubsub.in-memory");

        Assert.Equal(["local"], inMemory);
    }

    [Theory, MemberData(nameof(Variants))]
    public void Values_OfAVariant_AreTexts(string variant)
    {
        Assert.Empty(Components.Of(variant).Files.SelectMany(file => Yaml.NotTexts(file, "value")));
    }

    [Theory, MemberData(nameof(Variants))]
    public void Variables_OfAVariant_AreNotThoseDaprRefuses(string variant)
    {
        Assert.DoesNotContain(Components.Of(variant).Variables(), name =>
            name.StartsWith("DAPR_", StringComparison.Ordinal) || name == "APP_API_TOKEN");
    }

    /// <summary>A file of a variant takes the place of the common one of its name; one of another name would be loaded beside it.</summary>
    [Fact]
    public void Variants_EveryFile_ReplacesACommonOne()
    {
        var common = Components.Of("").Files.Select(Path.GetFileName);
        var all = Components.Variants.SelectMany(variant => Components.Of(variant).Files).Select(Path.GetFileName).Distinct();

        Assert.Equal(common.Order(), all.Order());
    }

    /// <summary>Services declare their subscriptions themselves; a second declaration would deliver everything twice.</summary>
    [Theory, MemberData(nameof(Variants))]
    public void Subscriptions_OfAVariant_AreLeftToTheCode(string variant)
    {
        Assert.Empty(Components.Of(variant).OfKind("Subscription"));
    }

    private static Dictionary<string, string[]> Scopes(string? text) =>
        (text ?? "").Split(';').Select(entry => entry.Split('='))
            .ToDictionary(entry => entry[0], entry => entry[1].Split(',', StringSplitOptions.RemoveEmptyEntries));
}
