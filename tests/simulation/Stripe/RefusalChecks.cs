using StripeMeter.Kits.Simulated.Billing;
using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Pushing;

namespace StripeMeter.Simulation.Stripe;

/// <summary>
/// What Stripe refuses for good is tried a few times, with growing pauses, and then waits for a human, until the mapping is
/// changed.
/// </summary>
internal sealed class RefusalChecks(StripeWorld world)
{
    private const int MaximumDoublings = 20;

    // Whose clock is behind may take a change for one that came after a refusal.
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(2);

    public IEnumerable<string> All() =>
        [.. Waiting(), .. world.Accounts.SelectMany(account => account.Refusals).GroupBy(call => call.Key).SelectMany(Tried)];

    private IEnumerable<string> Waiting() => world.Documents
        .Where(document => document is { ParkedSince: null, BehindSince: not null } && document.Key.StripeCustomer == Customers.Unknown)
        .Select(document => $"{document.Key} is not parked, and will never be told.");

    private IEnumerable<string> Tried(IGrouping<DeltaKey, RefusedCall> calls)
    {
        var before = new List<RefusedCall>();
        foreach (var call in calls.DistinctBy(call => call.Identifier))
        {
            before.RemoveAll(earlier => !IsInARow(earlier, call));
            if (before.Count >= world.Whole.MaximumRejections)
                yield return $"{call.Identifier} was told behind {before.Count} refusals in a row.";
            else if (before.Count > 0 && world.Tally[Fault.ClockSkewed] == 0 && call.Received - before[^1].Received < PauseBehind(before.Count))
                yield return $"{call.Identifier} was told {call.Received - before[^1].Received} behind refusal {before.Count} in a row.";
            before.Add(call);
        }
    }

    /// <summary>Whether a refusal was surely in a row with another one; one that is entered late may be by then the first of a new one.</summary>
    private bool IsInARow(RefusedCall earlier, RefusedCall later) =>
        later.Received - earlier.Received < world.Whole.RejectionMemory
        && world.Customers.Changes.Concat(world.Customers.Returns).All(change => change + Skew < earlier.Received || change > later.Received);

    /// <summary>The part of a back-off that is not spread.</summary>
    private TimeSpan PauseBehind(int refusals)
    {
        var doubled = TimeSpan.FromTicks(world.Whole.FirstRemint.Ticks << Math.Min(refusals - 1, MaximumDoublings));
        return (doubled < world.Whole.LongestRetry ? doubled : world.Whole.LongestRetry) / 2;
    }
}
