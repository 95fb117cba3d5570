namespace StripeMeter.Metering.Pricing.Comparing;

/// <summary>Adds up changes of customers: sums, distribution, and those who win or lose most. Holds a bounded number of customers.</summary>
/// <param name="shown">How many winners and losers are kept, each.</param>
public sealed class ChangeSummary(int shown = 10)
{
    /// <summary>Upper ends of the distribution's classes, in percent of what was paid before; the last class has none.</summary>
    public static IReadOnlyList<int> ClassEnds { get; } = [-50, -25, -10, 0, 10, 25, 50, 100];

    private const int Unmoved = 3;

    private readonly long[] _classes = new long[ClassEnds.Count + 1];
    private readonly PriorityQueue<CustomerChange, long> _winners = new();
    private readonly PriorityQueue<CustomerChange, long> _losers = new();

    public long Customers { get; private set; }

    public long Unchanged { get; private set; }

    /// <summary>Who pays less.</summary>
    public long Winners { get; private set; }

    /// <summary>Who pays more.</summary>
    public long Losers { get; private set; }

    public long TotalBefore { get; private set; }

    public long TotalAfter { get; private set; }

    /// <summary>Who paid nothing before and pays now; in no class of the distribution.</summary>
    public long NewlyCharged { get; private set; }

    /// <summary>
    /// Customers by their change in percent: at or below -50, above it to -25, …; unchanged ones are in the class that
    /// ends with 0.
    /// </summary>
    public IReadOnlyList<long> Distribution => _classes;

    public IReadOnlyList<CustomerChange> TopWinners => [.. _winners.UnorderedItems.Select(item => item.Element).OrderBy(change => change.Difference).ThenBy(change => change.Customer, StringComparer.Ordinal)];

    public IReadOnlyList<CustomerChange> TopLosers => [.. _losers.UnorderedItems.Select(item => item.Element).OrderByDescending(change => change.Difference).ThenBy(change => change.Customer, StringComparer.Ordinal)];

    public void Add(CustomerChange change)
    {
        Customers++;
        TotalBefore = checked(TotalBefore + change.Before);
        TotalAfter = checked(TotalAfter + change.After);
        switch (change.Difference)
        {
            case 0:
                Unchanged++;
                break;
            case < 0:
                Winners++;
                Keep(_winners, change, -change.Difference);
                break;
            default:
                Losers++;
                Keep(_losers, change, change.Difference);
                break;
        }

        if (change is { Before: 0, After: not 0 })
            NewlyCharged++;
        else
            _classes[ClassOf(change)]++;
    }

    private void Keep(PriorityQueue<CustomerChange, long> kept, CustomerChange change, long size)
    {
        if (kept.Count < shown)
            kept.Enqueue(change, size);
        else
            kept.EnqueueDequeue(change, size);
    }

    /// <summary>Compares without dividing, so that a customer on a bound falls on its exact side.</summary>
    private static int ClassOf(CustomerChange change)
    {
        if (change.Difference == 0)
            return Unmoved;
        var index = 0;
        while (index < ClassEnds.Count && (Int128)change.Difference * 100 > (Int128)change.Before * ClassEnds[index])
            index++;
        return index;
    }
}
