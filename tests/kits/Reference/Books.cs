using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Kits.Reference;

/// <summary>A counter and whose it is.</summary>
public readonly record struct TenantCounter(TenantId Tenant, Counter Counter);

/// <summary>Holds counters against the log they were counted from.</summary>
public static class Books
{
    /// <summary>
    /// What does not balance; empty if the counters are the reference meter's, bit for bit. Further counters may be there if
    /// they are empty: their period is none any more, or nothing in it counts. Adjustments that come to nothing need none.
    /// </summary>
    public static IReadOnlyList<string> Differences(IEnumerable<LoggedRecord> log, IEnumerable<TenantCounter> counters)
    {
        var expected = ReferenceMeter.Count(log);
        var differences = new List<string>();
        foreach (var (tenant, counter) in counters)
        {
            var isExpected = expected.Remove(KeyOf(tenant, counter), out var reference);
            if (isExpected ? !ReferenceMeter.Agrees(reference!, counter) : !counter.Aggregates.IsEmpty)
                differences.Add($"{tenant} has {counter}, and the log has {reference?.ToString() ?? "nothing of it"}.");
        }

        differences.AddRange(expected.Where(missing => missing.Value.Count > 0 || !missing.Value.Sum.IsZero)
            .Select(missing => $"There is no counter {missing.Key}, and the log has {missing.Value}."));
        return differences;
    }

    private static ReferenceKey KeyOf(TenantId tenant, Counter counter) =>
        new(tenant, counter.Key.Metric, counter.Key.Customer, counter.Key.PeriodStart.ToUtc());
}
