using System.ComponentModel.DataAnnotations;
using StripeMeter.Defaults.Configuration;
using StripeMeter.Defaults.Hosting;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Ingest.Subscribing;

/// <summary>Whose usage publishers may bring.</summary>
public sealed class PublisherOptions
{
    /// <summary>
    /// Topics that take usage, and whose: <c>topic=tenant</c>, <c>topic=tenant|tenant</c> or <c>topic=*</c>, separated by commas. Which
    /// application may publish to which topic is said by the scopes of the pub/sub component. Empty: nobody's, and without
    /// authentication everybody's from <c>usage.events</c>.
    /// </summary>
    [Setting("USAGE_EVENTS_PUBLISHERS"), RegularExpression(@"(\s*usage\.events(\.[A-Za-z0-9_-]+)?=[^,=]+,?)*\s*")]
    public string Publishers { get; set; } = "";
}

/// <summary>A topic that takes usage.</summary>
/// <param name="Name">The topic: <c>usage.events</c>, or that with a part of its own.</param>
/// <param name="Publishers">Who publishes there: it reaches the tenants whose usage the topic takes, and no other.</param>
public sealed record PublisherTopic(string Name, Principal Publishers)
{
    /// <summary>Where messages go that were not taken. Each topic has its own, so that they stay bound to what their topic may bring.</summary>
    public string DeadName => Name + ".dead";
}

/// <summary>
/// The topics that take usage. A message carries no key, and nothing in it proves where it comes from; what does is the topic
/// it came by, as the broker lets only those publish there who may.
/// </summary>
public sealed class PublisherTopics
{
    private const string Everybody = "*";
    private const string ReservedName = "dead";

    /// <param name="setting">As <see cref="PublisherOptions.Publishers"/> has it.</param>
    /// <param name="isOpen">Whether the installation runs without authentication.</param>
    /// <exception cref="InvalidSettingException">The setting cannot be used.</exception>
    public PublisherTopics(string setting, bool isOpen)
    {
        ArgumentNullException.ThrowIfNull(setting);
        var topics = setting.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(Read).ToList();
        if (topics.Exists(topic => topic.Name.EndsWith('.' + ReservedName, StringComparison.Ordinal))
            || topics.Select(topic => topic.Name).Distinct().Count() < topics.Count)
        {
            throw new InvalidSettingException($"USAGE_EVENTS_PUBLISHERS: a topic stands there once, and none is named {DaprNames.UsageEventsDeadTopic}.");
        }

        if (!topics.Exists(topic => topic.Name == DaprNames.UsageEventsTopic))
            topics.Insert(0, new PublisherTopic(DaprNames.UsageEventsTopic, PublishersOf(DaprNames.UsageEventsTopic, isOpen ? Everybody : "")));
        All = topics;
    }

    /// <summary>At least <c>usage.events</c>, so that what is published there is not left lying.</summary>
    public IReadOnlyList<PublisherTopic> All { get; }

    private static PublisherTopic Read(string entry)
    {
        var equals = entry.IndexOf('=', StringComparison.Ordinal);
        return new PublisherTopic(entry[..equals], PublishersOf(entry[..equals], entry[(equals + 1)..]));
    }

    private static Principal PublishersOf(string topic, string tenants)
    {
        var name = "publisher:" + topic;
        if (tenants == Everybody)
            return Principal.Internal(name);
        var named = tenants.Split('|', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return Array.Find(named, tenant => !TenantId.IsValid(tenant)) is { } invalid
            ? throw new InvalidSettingException($"USAGE_EVENTS_PUBLISHERS: '{invalid}' is no tenant id.")
            : new Principal { Name = name, Tenants = named.Select(tenant => new TenantId(tenant)).ToHashSet(), Scopes = Scopes.EventsWrite };
    }
}
