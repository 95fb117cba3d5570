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

    public async Task Place_OfAnIntent_IsFoundOpenAndClosed()
    {
        var key = DeltaSample.Key("cus_9");
        await subject.Of("other").Deltas.SaveAsync(DeltaSample.Document(key) with { Open = DeltaSample.Intent("sm_open") }, _cancellation);
        await subject.Acme.Deltas.AppendHistoryAsync(key, DeltaSample.Intent("sm_closed") with { Closing = 1 }, _cancellation);

        Assert.Equal(new DeltaPlace(new TenantId("other"), key), await subject.Store.Work.PlaceOfIntentAsync("sm_open", _cancellation));
        Assert.Equal(new DeltaPlace(subject.Acme.Tenant, key), await subject.Store.Work.PlaceOfIntentAsync("sm_closed", _cancellation));
        Assert.Null(await subject.Store.Work.PlaceOfIntentAsync("sm_none", _cancellation));
    }

    public async Task Places_OfACustomer_AreThoseOfEveryTenantAndMeter()
    {
        DeltaKey[] keys = [DeltaSample.Key("c", "mtr_1"), DeltaSample.Key("c", "mtr_2")];
        await subject.Acme.Deltas.SaveAsync(DeltaSample.Document(keys[0]), _cancellation);
        await subject.Of("other").Deltas.SaveAsync(DeltaSample.Document(keys[1]), _cancellation);
        foreach (var other in (DeltaKey[])[DeltaSample.Key("d"), DeltaSample.Key("c", account: "acct_2"), DeltaSample.Key("c", livemode: true)])
            await subject.Acme.Deltas.SaveAsync(DeltaSample.Document(other), _cancellation);

        var found = await subject.Store.Work.PlacesOfCustomerAsync("acct_1", false, "c", 10, _cancellation);
        Assert.Equal(keys, found.Select(place => place.Key).OrderBy(key => key.MeterId));
        Assert.Equal(["acme", "other"], found.OrderBy(place => place.Key.MeterId).Select(place => place.Tenant.Value));
        Assert.Single(await subject.Store.Work.PlacesOfCustomerAsync("acct_1", false, "c", 1, _cancellation));
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
