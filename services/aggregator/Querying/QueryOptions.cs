using System.ComponentModel.DataAnnotations;
using StripeMeter.Defaults.Configuration;

namespace StripeMeter.Aggregator.Querying;

/// <summary>Bounds of questions that are answered from the events themselves.</summary>
public sealed class QueryOptions
{
    /// <summary>Events that one question may read.</summary>
    [Setting("QUERY_MAXIMUM_EVENTS"), Range(1_000, 100_000_000)]
    public int MaximumEvents { get; set; } = 200_000;

    /// <summary>Windows of all groups that one question may have.</summary>
    public int MaximumWindows { get; } = 10_000;
}
