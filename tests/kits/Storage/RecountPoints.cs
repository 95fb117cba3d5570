using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using Xunit;

namespace StripeMeter.Kits.Storage;

/// <summary>What re-cuts left to be counted anew: it stays until it is done, and is found.</summary>
internal sealed class RecountPoints(StoreUnderTest subject)
{
    private readonly IProjection _projection = subject.Acme.Projection;
    private readonly CancellationToken _cancellation = subject.Cancellation;

    public async Task Add_Items_ComeBackInTheOrderOfTheirRecuts()
    {
        RecountItem[] items =
        [
            new("log", 3, RecountScope.OfSession(new string('s', 300))), new("log", 5, RecountScope.OfCustomer(Sample.Texts[^1], Sample.Noon)),
            new("log", 9, RecountScope.OfCounter(new CounterKey("m", "c", Instant.Minimum), Instant.Maximum)),
        ];
        await _projection.AddRecountsAsync(1, [items[2], items[0]], _cancellation);
        await _projection.AddRecountsAsync(1, [items[1], items[0]], _cancellation);

        Assert.Equal(items, await _projection.RecountsAsync(1, 10, _cancellation));
        Assert.Equal(items[..2], await _projection.RecountsAsync(1, 2, _cancellation));
        Assert.Empty(await _projection.RecountsAsync(0, 10, _cancellation));
        Assert.Empty(await subject.Of("other").Projection.RecountsAsync(1, 10, _cancellation));
    }

    public async Task Add_TheSameScope_TheLaterRecutStands()
    {
        foreach (var recut in (long[])[4, 9, 6])
            await _projection.AddRecountsAsync(0, [At(recut)], _cancellation);
        await _projection.AddRecountsAsync(0, [At(1) with { LogId = "restored" }], _cancellation);

        Assert.Equal([At(1) with { LogId = "restored" }, At(9)], await _projection.RecountsAsync(0, 10, _cancellation));
    }

    public async Task Close_AnItem_UnlessALaterRecutTookItsPlace()
    {
        await _projection.AddRecountsAsync(0, [At(4)], _cancellation);
        await _projection.AddRecountsAsync(0, [At(9)], _cancellation);

        await _projection.CloseRecountAsync(0, At(4), _cancellation);
        Assert.Equal([At(9)], await _projection.RecountsAsync(0, 10, _cancellation));
        await _projection.CloseRecountAsync(1, At(9), _cancellation);
        Assert.Equal([At(9)], await _projection.RecountsAsync(0, 10, _cancellation));
        await _projection.CloseRecountAsync(0, At(9), _cancellation);
        Assert.Empty(await _projection.RecountsAsync(0, 10, _cancellation));
    }

    public async Task ShardsToRecount_AreThoseWithItemsInPages()
    {
        foreach (var tenant in (string[])["acme", "acme/1", "äcme"])
        {
            foreach (var shard in (int[])[3, 1])
                await subject.Of(tenant).Projection.AddRecountsAsync(shard, [At(1), At(2) with { LogId = "other" }], _cancellation);
        }

        await subject.Of("acme").Projection.CloseRecountAsync(3, At(1), _cancellation);
        await subject.Of("acme").Projection.CloseRecountAsync(3, At(2) with { LogId = "other" }, _cancellation);

        var found = new List<ShardId>();
        while (await subject.Store.Work.ShardsToRecountAsync(found.Count == 0 ? null : found[^1], 2, _cancellation) is { Count: > 0 } page)
            found.AddRange(page);
        Assert.Equal(
            [Shard("acme", 1), Shard("acme/1", 1), Shard("acme/1", 3), Shard("äcme", 1), Shard("äcme", 3)], found);
    }

    private static RecountItem At(long recut) => new("log", recut, RecountScope.OfCustomer("cus_1", Sample.Noon));

    private static ShardId Shard(string tenant, int shard) => new(new TenantId(tenant), shard);
}
