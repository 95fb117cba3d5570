using StripeMeter.Metering.AuditLog;
using Xunit;

namespace StripeMeter.Access.Tests.Identity;

public sealed class AuditTrailTests
{
    private readonly List<ChainedEntry> _chain = [];

    public AuditTrailTests()
    {
        for (var sequence = 1; sequence <= 5; sequence++)
        {
            _chain.Add(ChainedEntry.After(
                sequence == 1 ? ChainedEntry.Origin : _chain[^1].Hash,
                new AuditEntry(sequence, "2026-01-01T00:00:00Z", "api:x", "Some.Change", $"request {sequence}", "{}", "", "{}")));
        }
    }

    [Fact]
    public void Check_OfWhatWasWritten_IsUnbroken()
    {
        Assert.Equal(5, Unbroken(_chain));
    }

    [Fact]
    public void Check_OfAnyEntryChanged_IsBrokenThere() => Assert.All(Enumerable.Range(0, 5), place =>
    {
        var changed = _chain.ToList();
        changed[place] = changed[place] with { Text = changed[place].Text.Replace("api:x", "api:y", StringComparison.Ordinal) };

        Assert.Equal(place, Unbroken(changed));
    });

    /// <summary>Whoever changes an entry and its hash breaks the chain behind it.</summary>
    [Fact]
    public void Check_OfAnyEntryForged_IsBrokenBehindIt() => Assert.All(Enumerable.Range(0, 4), place =>
    {
        var changed = _chain.ToList();
        changed[place] = ChainedEntry.After(changed[place].PreviousHash, changed[place].ToEntry() with { Actor = "api:y" });

        Assert.Equal(place + 1, Unbroken(changed));
    });

    [Fact]
    public void Check_OfAnyEntryRemoved_IsBrokenThere() => Assert.All(Enumerable.Range(0, 4), place =>
    {
        var changed = _chain.ToList();
        changed.RemoveAt(place);

        Assert.Equal(place, Unbroken(changed));
    });

    private static long Unbroken(IEnumerable<ChainedEntry> chain)
    {
        var check = new ChainCheck();
        foreach (var entry in chain)
        {
            if (!check.Take(entry))
                break;
        }

        return check.Entries;
    }
}
