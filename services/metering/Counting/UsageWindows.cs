using System.Text.Json;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Counting;

/// <summary>By what usage is told apart.</summary>
public enum UsageGrouping
{
    None = 0,
    Customer = 1,
    Resource = 2,

    /// <summary>By a member of the events' meta objects.</summary>
    Meta = 3,
}

/// <summary>A question for the usage of a metric in windows of time.</summary>
public sealed record UsageWindowQuery
{
    public required string Metric { get; init; }

    /// <summary>Null: every customer.</summary>
    public string? Customer { get; init; }

    /// <summary>Null: every resource. Empty: events without one.</summary>
    public string? Resource { get; init; }

    /// <summary>Only events whose meta object has this member with this value; see <see cref="UsageWindows.MetaText"/>. Null: all.</summary>
    public (string Member, string Value)? Meta { get; init; }

    /// <summary>Inclusive.</summary>
    public required Instant From { get; init; }

    /// <summary>Exclusive.</summary>
    public required Instant Before { get; init; }

    /// <summary>Where the window of an instant begins.</summary>
    public required Func<Instant, Instant> StartOf { get; init; }

    public UsageGrouping Grouping { get; init; }

    /// <summary>The member of meta objects by which is grouped.</summary>
    public string GroupMember { get; init; } = "";

    /// <summary>Only the groups with the greatest usage over all windows; 0: all.</summary>
    public int Top { get; init; }

    /// <summary>The usage by which groups are ranked.</summary>
    public Func<Aggregates, Quantity> RankBy { get; init; } = static aggregates => aggregates.Sum;

    /// <summary>Events read at most.</summary>
    public int MaximumEvents { get; init; } = 200_000;

    /// <summary>Windows of all groups at most.</summary>
    public int MaximumWindows { get; init; } = 10_000;
}

/// <summary>Usage of one group in one window.</summary>
/// <param name="Start">Where the window begins.</param>
/// <param name="Group">Value by which is grouped; null for events without one, and where nothing is grouped.</param>
/// <param name="Aggregates">What was counted.</param>
public readonly record struct UsageWindow(Instant Start, string? Group, Aggregates Aggregates);

/// <summary>Which bound a question ran into.</summary>
public enum UsageWindowBound
{
    None = 0,
    Events = 1,
    Windows = 2,
}

/// <summary>Usage in windows, or the bound that kept it from being told.</summary>
public readonly record struct UsageWindowResult(IReadOnlyList<UsageWindow> Windows, UsageWindowBound Bound);

/// <summary>Counts events into windows of time and groups, straight from the ledger, in exact decimals and bounded work.</summary>
public static class UsageWindows
{
    /// <summary>Windows in which something was counted, in the order of (start, group), texts by their UTF-16 code units and none first.</summary>
    public static async Task<UsageWindowResult> ReadAsync(
        ILedger ledger, UsageWindowQuery query, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        ArgumentNullException.ThrowIfNull(query);
        if (query.Before <= query.From)
            return new([], UsageWindowBound.None);
        var windows = new Dictionary<(Instant Start, string? Group), Aggregates>();
        var events = new EventQuery
        {
            Metric = query.Metric, Customer = query.Customer, From = query.From, To = new Instant(query.Before.Ticks - 1), Ascending = true,
        };
        var read = 0;
        await foreach (var entry in CountedEvents.ReadAsync(ledger, events, cancellation).ConfigureAwait(false))
        {
            if (++read > query.MaximumEvents)
                return new([], UsageWindowBound.Events);
            var usage = entry.Record.Event!;
            if (!Selects(query, usage))
                continue;
            var place = (query.StartOf(usage.Timestamp), GroupOf(query, usage));
            if (!windows.TryGetValue(place, out var aggregates) && windows.Count == query.MaximumWindows)
                return new([], UsageWindowBound.Windows);
            windows[place] = (aggregates.LastKey is null ? Aggregates.Empty : aggregates).With(usage.Quantity, usage.Timestamp, entry.Record.Key);
        }

        var shown = TopGroups(query, windows);
        return new(
            [.. windows.Where(window => shown is null || shown.Contains(new GroupName(window.Key.Group)))
                .OrderBy(window => window.Key.Start.Ticks).ThenBy(window => window.Key.Group, StringComparer.Ordinal)
                .Select(window => new UsageWindow(window.Key.Start, window.Key.Group, window.Value))],
            UsageWindowBound.None);
    }

    /// <summary>A member of a meta object as text: a string as it is, anything else as JSON. Null: it is not there.</summary>
    public static string? MetaText(string meta, string member)
    {
        if (string.IsNullOrEmpty(meta))
            return null;
        using var document = JsonDocument.Parse(meta);
        if (!document.RootElement.TryGetProperty(member, out var value))
            return null;
        return value.ValueKind == JsonValueKind.String ? value.GetString() : value.GetRawText();
    }

    private static bool Selects(UsageWindowQuery query, Events.UsageEvent usage) =>
        (query.Resource is null || query.Resource == usage.Resource)
        && (query.Meta is not { } meta || MetaText(usage.Meta, meta.Member) == meta.Value);

    private static string? GroupOf(UsageWindowQuery query, Events.UsageEvent usage) => query.Grouping switch
    {
        UsageGrouping.Customer => usage.Customer,
        UsageGrouping.Resource => usage.Resource.Length > 0 ? usage.Resource : null,
        UsageGrouping.Meta => MetaText(usage.Meta, query.GroupMember),
        _ => null,
    };

    /// <summary>The groups to show; null: all.</summary>
    private static HashSet<GroupName>? TopGroups(
        UsageWindowQuery query, Dictionary<(Instant Start, string? Group), Aggregates> windows)
    {
        if (query.Top == 0)
            return null;
        return [.. windows.GroupBy(window => new GroupName(window.Key.Group))
            .Select(group => (group.Key, Rank: query.RankBy(group.Select(window => window.Value).Aggregate(Together))))
            .OrderByDescending(group => group.Rank).ThenBy(group => group.Key.Text, StringComparer.Ordinal)
            .Take(query.Top).Select(group => group.Key)];
    }

    private static Aggregates Together(Aggregates left, Aggregates right)
    {
        var newer = right.LastTimestamp > left.LastTimestamp
            || (right.LastTimestamp == left.LastTimestamp && string.CompareOrdinal(right.LastKey, left.LastKey) > 0) ? right : left;
        return newer with
        {
            Sum = left.Sum + right.Sum, Count = left.Count + right.Count,
            Min = Quantity.Min(left.Min, right.Min), Max = Quantity.Max(left.Max, right.Max),
        };
    }

    private readonly record struct GroupName(string? Text);
}
