using System.Collections.Frozen;
using StripeMeter.V1;

namespace StripeMeter.Gateway.Mappings;

/// <summary>Aggregations as REST spells them.</summary>
internal static class MappingWords
{
    private static readonly FrozenDictionary<string, Aggregation> Aggregations = new Dictionary<string, Aggregation>
    {
        ["sum"] = Aggregation.Sum,
        ["count"] = Aggregation.Count,
        ["max"] = Aggregation.Max,
        ["last"] = Aggregation.Last,
        ["min"] = Aggregation.Min,
    }.ToFrozenDictionary();

    public static string All { get; } = string.Join(", ", Aggregations.Keys.Order());

    public static bool TryRead(string word, out Aggregation aggregation) => Aggregations.TryGetValue(word, out aggregation);

    public static string Of(Aggregation aggregation) =>
        Aggregations.FirstOrDefault(pair => pair.Value == aggregation, new("sum", default)).Key;
}
