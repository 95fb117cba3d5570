using System.Globalization;
using StripeMeter.V1;

namespace StripeMeter.Pricing.Simulating;

/// <summary>Where a scenario stands in a listing. No two stand in one place.</summary>
/// <param name="Sort">The order.</param>
/// <param name="Key">What is sorted by, so that texts in the order of their UTF-16 are in it.</param>
/// <param name="Id">Of those with one key, the older first.</param>
internal sealed record ScenarioPlace(ScenarioSort Sort, string Key, string Id) : IComparable<ScenarioPlace>
{
    public static ScenarioPlace Of(SimulationScenario scenario, ScenarioSort sort) => new(
        sort,
        sort switch
        {
            ScenarioSort.Name => scenario.Name,
            ScenarioSort.Updated => scenario.UpdateTime.ToDateTimeOffset().UtcTicks.ToString("D19", CultureInfo.InvariantCulture),
            _ => "",
        },
        scenario.Id);

    public int CompareTo(ScenarioPlace? other) =>
        string.CompareOrdinal(Key, other?.Key) is var byKey && byKey != 0 ? byKey : string.CompareOrdinal(Id, other?.Id);
}
