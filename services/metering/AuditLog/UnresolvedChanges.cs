namespace StripeMeter.Metering.AuditLog;

/// <summary>Where a search for changes without an outcome goes on.</summary>
/// <param name="After">Sequence behind which it goes on, downwards; null: from the newest entry.</param>
/// <param name="Resolved">Beginnings that are still to come and whose outcomes were met: as many as changes overlapped.</param>
public sealed record UnresolvedCursor(long? After, IReadOnlyList<long> Resolved)
{
    public static UnresolvedCursor Newest { get; } = new(null, []);
}

/// <summary>
/// Finds the changes that were begun and have no outcome: those being made right now, and those that a crash interrupted. It
/// reads from the newest entry back, so every outcome is met before its beginning.
/// </summary>
public static class UnresolvedChanges
{
    /// <summary>Looks at as many entries as <paramref name="limit"/> says; the cursor is null behind the first entry of all.</summary>
    public static async Task<(IReadOnlyList<ChainedEntry> Found, UnresolvedCursor? Next)> SearchAsync(
        AuditTrail trail, UnresolvedCursor from, int limit, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(trail);
        ArgumentNullException.ThrowIfNull(from);
        var resolved = from.Resolved.ToHashSet();
        var found = new List<ChainedEntry>();
        var page = await trail.ListAsync(from.After, descending: true, limit, cancellation).ConfigureAwait(false);
        foreach (var chained in page)
        {
            var entry = chained.ToEntry();
            if (!entry.IsBeginning)
                resolved.Add(entry.Begun);
            else if (!resolved.Remove(entry.Sequence))
                found.Add(chained);
        }

        resolved.Remove(0);
        return (found, page.Count < limit ? null : new UnresolvedCursor(page[^1].ToEntry().Sequence, [.. resolved]));
    }
}
