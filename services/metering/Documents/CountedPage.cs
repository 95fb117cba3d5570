namespace StripeMeter.Metering.Documents;

/// <summary>One page of a listing that is read from its beginning, because all that match are counted.</summary>
/// <param name="offset">How many to pass over, of those behind the cursor.</param>
/// <param name="limit">Most of the page.</param>
public sealed class CountedPage<T>(int offset, int limit)
{
    private readonly List<T> _items = [];
    private int _passed;

    public IReadOnlyList<T> Items => _items;

    /// <summary>All that match, on this page or not.</summary>
    public int Total { get; private set; }

    /// <summary>There is another page behind this one.</summary>
    public bool HasMore { get; private set; }

    /// <summary>The next that matches, in the order of the listing.</summary>
    /// <param name="item">What matches.</param>
    /// <param name="isBehind">Whether it is behind where the page before ended.</param>
    public void Add(T item, bool isBehind)
    {
        Total++;
        if (!isBehind || _passed++ < offset)
            return;
        if (_items.Count < limit)
            _items.Add(item);
        else
            HasMore = true;
    }
}
