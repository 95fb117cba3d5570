using System.Text.Json.Nodes;

namespace StripeMeter.StripeDouble.Meters;

/// <summary>A billing meter. Times are seconds since 1970.</summary>
/// <param name="Number">Its place in the order of creation; 0 before it is stored.</param>
/// <param name="Id"><c>mtr_…</c></param>
/// <param name="EventName">Name of the events it takes; belongs to one meter for ever.</param>
/// <param name="DisplayName">The one thing that can be changed.</param>
/// <param name="Formula"><c>sum</c>, <c>count</c> or <c>last</c>.</param>
/// <param name="CustomerKey">Payload key of the customer.</param>
/// <param name="ValueKey">Payload key of the value.</param>
/// <param name="EventTimeWindow"><c>hour</c> or <c>day</c>: only the event received last in such a window counts; null: every event counts.</param>
/// <param name="Created">When it was created.</param>
/// <param name="Updated">When it was changed last.</param>
/// <param name="Deactivated">Since when it takes no events; null while it does.</param>
internal sealed record Meter(
    long Number, string Id, string EventName, string DisplayName, string Formula, string CustomerKey, string ValueKey,
    string? EventTimeWindow, long Created, long Updated, long? Deactivated)
{
    public const string Kind = "billing.meter";

    public const string Count = "count";

    public const string Last = "last";

    public const string Sum = "sum";

    public bool IsActive => Deactivated is null;

    public string Status => IsActive ? "active" : "inactive";

    /// <summary>Seconds of <see cref="EventTimeWindow"/>; null without one.</summary>
    public long? WindowSeconds => EventTimeWindow is null ? null : TimeWindow.Seconds(EventTimeWindow);

    public JsonObject ToJson() => new()
    {
        ["id"] = Id,
        ["object"] = Kind,
        ["created"] = Created,
        ["customer_mapping"] = new JsonObject { ["event_payload_key"] = CustomerKey, ["type"] = "by_id" },
        ["default_aggregation"] = new JsonObject { ["formula"] = Formula },
        ["display_name"] = DisplayName,
        ["event_name"] = EventName,
        ["event_time_window"] = EventTimeWindow,
        ["livemode"] = false,
        ["status"] = Status,
        ["status_transitions"] = new JsonObject { ["deactivated_at"] = Deactivated },
        ["updated"] = Updated,
        ["value_settings"] = new JsonObject { ["event_payload_key"] = ValueKey },
    };
}
