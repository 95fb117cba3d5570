using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using Xunit;

namespace StripeMeter.Kits.Storage;

/// <summary><see cref="IWorkFinder"/>: what is still to be pushed, over all tenants.</summary>
internal sealed class DeltaWorkPoints(StoreUnderTest subject)
{
    private readonly CancellationToken _cancellation = subject.Cancellation;

    public async Task DueTenants_AreThoseTheClockHasReachedInOrder()
    {
        foreach (var (index, tenant) in Sample.Texts.Index().Reverse())
        {
            var due = new Instant(index == 3 ? 2 : 1);
            await subject.Of(tenant).Deltas.SaveAsync(DeltaSample.Document(due: due), _cancellation);
            await subject.Of(tenant).Deltas.SaveAsync(DeltaSample.Document(DeltaSample.Key("cus_2"), due: due), _cancellation);
        }

        await subject.Of("not due").Deltas.SaveAsync(DeltaSample.Document(), _cancellation);

        Assert.Equal(Sample.Texts.Except([Sample.Texts[3]]), await PageAsync(new Instant(1)));
        Assert.Equal(Sample.Texts, await PageAsync(new Instant(2)));
    }

    public async Task Backlog_CountsWhatIsBehind()
    {
        Assert.Equal(new DeltaBacklog(0, null, 0, 0), await subject.Store.Work.DeltaBacklogAsync(_cancellation));
        await SaveAsync("acme", "1", document => document with { BehindSince = new Instant(5) });
        await SaveAsync("other", "2", document => document with { BehindSince = new Instant(3), ParkedSince = new Instant(4) });
        await SaveAsync(
            "other", "3",
            document => document with { BehindSince = new Instant(4), Open = DeltaSample.Intent(state: IntentState.Ambiguous) });
        await SaveAsync("other", "4", document => document);

        Assert.Equal(new DeltaBacklog(3, new Instant(3), 1, 1), await subject.Store.Work.DeltaBacklogAsync(_cancellation));
    }

    private Task<bool> SaveAsync(string tenant, string customer, Func<DeltaDocument, DeltaDocument> change) =>
        subject.Of(tenant).Deltas.SaveAsync(change(DeltaSample.Document(DeltaSample.Key(customer))), _cancellation);

    private async Task<List<string>> PageAsync(Instant now)
    {
        var found = new List<string>();
        while (true)
        {
            TenantId? after = found.Count == 0 ? null : new TenantId(found[^1]);
            var page = await subject.Store.Work.TenantsWithDueDeltasAsync(now, after, 4, _cancellation);
            if (page.Count == 0)
                return found;
            found.AddRange(page.Select(tenant => tenant.Value));
        }
    }
}
