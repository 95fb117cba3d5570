using StripeMeter.Metering.Text;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using Xunit;

namespace StripeMeter.Kits.Storage;

/// <summary><see cref="IWorkFinder"/>: what the sweeps over all tenants find.</summary>
internal sealed class WorkPoints(StoreUnderTest subject)
{
    private readonly CancellationToken _cancellation = subject.Cancellation;

    public async Task Heads_InPages_EveryShardOnceWithItsProgress()
    {
        string[] tenants = ["acme", "acme/1", "äcme", "😀"];
        foreach (var tenant in tenants)
        {
            await subject.Of(tenant).Ledger.AppendAsync(1, Sample.Records("k", 3), _cancellation);
            await subject.Of(tenant).Ledger.AppendAsync(3, Sample.Records("n", 2), _cancellation);
            await subject.Of(tenant).Projection.RaiseAsync(1, new ShardProgress("log", 2), _cancellation);
        }

        var found = new List<ShardWork>();
        while (await subject.Store.Work.HeadsAsync(found.Count == 0 ? null : found[^1].Shard, 3, _cancellation) is { Count: > 0 } page)
            found.AddRange(page);

        Assert.Equal(
            from tenant in tenants from shard in (int[])[1, 3] select (tenant, shard),
            found.Select(work => (work.Shard.Tenant.Value, work.Shard.Shard)).OrderBy(work => work.Value, CodePointOrder.Instance).ThenBy(work => work.Shard));
        foreach (var work in found)
        {
            Assert.Equal(await subject.Of(work.Shard.Tenant.Value).Ledger.HeadAsync(work.Shard.Shard, _cancellation), work.Head);
            Assert.Equal(work.Shard.Shard == 1 ? new ShardProgress("log", 2) : ShardProgress.None, work.Progress);
        }
    }

    public async Task Heads_OfAnEmptyStore_AreNone() => Assert.Empty(await subject.Store.Work.HeadsAsync(null, 10, _cancellation));

    public async Task DirtyTenants_AreThoseWithMarksInOrder()
    {
        foreach (var tenant in Sample.Texts.Reverse())
            await subject.Of(tenant).Projection.WriteAsync([Sample.Row("a"), Sample.Row("b")], _cancellation);
        var cleared = subject.Of(Sample.Texts[3]).Projection;
        await cleared.ClearDirtyAsync([Sample.Row("a"), Sample.Row("b")], _cancellation);
        await subject.Of(Sample.Texts[4]).Projection.ClearDirtyAsync([Sample.Row("a")], _cancellation);

        var found = await PageAsync((after, limit) => subject.Store.Work.TenantsWithDirtyCountersAsync(after, limit, _cancellation));

        Assert.Equal(Sample.Texts.Except([Sample.Texts[3]]), found);
    }

    public async Task MappedTenants_AreThoseWithActiveMappingsInOrder()
    {
        for (var index = Sample.Texts.Length - 1; index >= 0; index--)
        {
            var mappings = subject.Of(Sample.Texts[index]).Mappings;
            await mappings.CreateAsync(Sample.Mapping("1", "a", $"mtr_{index}a", active: index != 2), _cancellation);
            await mappings.CreateAsync(Sample.Mapping("2", "b", $"mtr_{index}b", active: index != 2), _cancellation);
        }

        var found = await PageAsync((after, limit) => subject.Store.Work.TenantsWithMappingsAsync(after, limit, _cancellation));

        Assert.Equal(Sample.Texts.Except([Sample.Texts[2]]), found);
    }

    public async Task TenantOfAMeter_IsWhoseActiveMappingFeedsIt()
    {
        await subject.Of("other").Mappings.CreateAsync(Sample.Mapping("1", meter: "mtr_1"), _cancellation);
        await subject.Acme.Mappings.CreateAsync(Sample.Mapping("2", "metric_2", "mtr_2", active: false), _cancellation);
        var account = Sample.Mapping("1").StripeAccount;

        Assert.Equal(new TenantId("other"), await subject.Store.Work.TenantOfMeterAsync(account, "mtr_1", _cancellation));
        Assert.Null(await subject.Store.Work.TenantOfMeterAsync(account, "mtr_2", _cancellation));
        Assert.Null(await subject.Store.Work.TenantOfMeterAsync("acct_other", "mtr_1", _cancellation));
    }

    private static async Task<List<string>> PageAsync(Func<TenantId?, int, Task<IReadOnlyList<TenantId>>> list)
    {
        var found = new List<string>();
        while (await list(found.Count == 0 ? null : new TenantId(found[^1]), 4) is { Count: > 0 } page)
            found.AddRange(page.Select(tenant => tenant.Value));
        return found;
    }
}
