using System.Text.Json.Nodes;

namespace StripeMeter.StripeDouble.Notices;

/// <summary>What an update changed, as its event tells it: what is different now, with the values of before. Lists are told whole.</summary>
internal static class Changes
{
    public static JsonObject Before(JsonObject before, JsonObject after)
    {
        var changed = new JsonObject();
        foreach (var name in before.Concat(after).Select(static member => member.Key).Distinct())
        {
            var (was, now) = (before[name], after[name]);
            if (!JsonNode.DeepEquals(was, now))
                changed[name] = was is JsonObject wasMap && now is JsonObject map ? Before(wasMap, map) : was?.DeepClone();
        }

        return changed;
    }
}
