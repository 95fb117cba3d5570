using StripeMeter.Metering.AuditLog;
using Xunit;

namespace StripeMeter.Kits.Storage;

/// <summary>The audit log as it lies in the documents of a tenant.</summary>
internal sealed class AuditTrailPoints(StoreUnderTest subject)
{
    private const int Writers = 4;
    private const int PerWriter = 3;
    private readonly CancellationToken _cancellation = subject.Cancellation;

    public async Task Append_FromManyAtOnce_MakesOneUnbrokenChain()
    {
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
        {
            for (var number = 0; number < PerWriter; number++)
                await AppendAsync(AuditStage.Done, 0, $"{writer}/{number}");
        })));

        var check = new ChainCheck();
        var entries = await TrailOf().ListAsync(null, descending: false, 100, _cancellation);
        Assert.All(entries, entry => Assert.True(check.Take(entry)));
        Assert.Equal(Writers * PerWriter, check.Entries);
        Assert.Equal(Writers * PerWriter, entries.Select(entry => entry.ToEntry().RequestId).Distinct().Count());
    }

    /// <summary>Changes that overlap, in pages that cut between beginnings and outcomes.</summary>
    public async Task Search_ForWhatHasNoOutcome_FindsThatAlone()
    {
        var (first, second) = (await AppendAsync(AuditStage.Begun, 0, "1"), await AppendAsync(AuditStage.Begun, 0, "2"));
        await AppendAsync(AuditStage.Done, 0, "without a beginning");
        var third = await AppendAsync(AuditStage.Begun, 0, "3");
        await AppendAsync(AuditStage.Done, third, "3");
        await AppendAsync(AuditStage.Failed, first, "1");

        foreach (var page in Enumerable.Range(1, 7))
            Assert.Equal([second], await UnresolvedAsync(page));
    }

    private async Task<IReadOnlyList<long>> UnresolvedAsync(int page)
    {
        var found = new List<long>();
        for (UnresolvedCursor? from = UnresolvedCursor.Newest; from is not null;)
        {
            (var entries, from) = await UnresolvedChanges.SearchAsync(TrailOf(), from, page, _cancellation);
            found.AddRange(entries.Select(entry => entry.ToEntry().Sequence));
        }

        return found;
    }

    private Task<long> AppendAsync(string stage, long begun, string request) => TrailOf().AppendAsync(
        new AuditEntry(0, "2026-01-01T00:00:00Z", "api:x", "Some.Change", request, "{}", "", "{}", stage, begun), _cancellation);

    private AuditTrail TrailOf() => new(subject.Acme.Documents);
}
