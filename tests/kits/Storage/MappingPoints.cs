using StripeMeter.Metering.Mappings;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Time;
using Xunit;

namespace StripeMeter.Kits.Storage;

/// <summary><see cref="IMappings"/>: keeping, listing, and what two active mappings may not share.</summary>
internal sealed class MappingPoints(StoreUnderTest subject)
{
    private readonly IMappings _mappings = subject.Acme.Mappings;
    private readonly CancellationToken _cancellation = subject.Cancellation;

    public async Task Create_EveryField_ComesBack()
    {
        var mapping = new Mapping
        {
            Id = "map_😀", Metric = "a.b", Aggregation = Aggregation.Last, StripeAccount = "acct_1", PriceId = "price_1",
            MeterId = "mtr_1", MeterEventName = "name", MeterCustomerKey = "customer", MeterValueKey = "amount", Sink = SinkKind.DayTotals,
            SubscriptionItemId = "si_1", Currency = "eur", Active = false, Shadow = true, ShadowStripeAccount = "acct_2",
            ShadowPriceId = "price_2", ShadowSubscriptionItemId = "si_2",
            PriceBegan = Instant.OfDate(2026, 2, 3), ShadowPriceBegan = Instant.OfDate(2026, 2, 4),
            ShadowMeterId = "mtr_2", ShadowMeter = new MeterNames("shadow", "client", "size") { Sink = SinkKind.RunningTotal },
            ShadowCustomers = new CustomerRule { Prefix = "cus_", Table = new Dictionary<string, string> { ["$x"] = "cus_4" } },
            Customers = new CustomerRule
            {
                Prefix = "cus_", TableOnly = true,
                Table = new Dictionary<string, string> { ["a.b"] = "cus_1", ["$x"] = "cus_2", ["😀"] = "cus_3" },
            },
            Created = Sample.Noon, Updated = new(Sample.Noon.Ticks + 1),
        };
        Assert.Equal(MappingWrite.Done, await _mappings.CreateAsync(mapping, _cancellation));

        var stored = await _mappings.GetAsync(mapping.Id, _cancellation);

        Assert.NotNull(stored);
        Assert.Equal(mapping.Customers.Table, stored.Customers.Table);
        Assert.Equal(mapping.Customers with { Table = stored.Customers.Table }, stored.Customers);
        Assert.Equal(mapping.ShadowCustomers.Table, stored.ShadowCustomers!.Table);
        Assert.Equal(mapping, stored with { Customers = mapping.Customers, ShadowCustomers = mapping.ShadowCustomers });
        Assert.Null(await _mappings.GetAsync("none", _cancellation));
    }

    public async Task Create_AnIdThatStands_IsRefused()
    {
        await _mappings.CreateAsync(Sample.Mapping("m"), _cancellation);

        await Assert.ThrowsAsync<InvalidOperationException>(
            () => _mappings.CreateAsync(Sample.Mapping("m", "other", "mtr_2"), _cancellation));

        Assert.Equal(Sample.Mapping("m").Metric, (await _mappings.GetAsync("m", _cancellation))!.Metric);
    }

    public async Task Create_AMetricThatIsMapped_IsRefused()
    {
        await _mappings.CreateAsync(Sample.Mapping("1"), _cancellation);

        Assert.Equal(MappingWrite.MetricTaken, await _mappings.CreateAsync(Sample.Mapping("2", meter: "mtr_2"), _cancellation));
        Assert.Equal(MappingWrite.MetricTaken, await _mappings.CreateAsync(Sample.Mapping("2"), _cancellation));
        Assert.Null(await _mappings.GetAsync("2", _cancellation));
        Assert.Equal(
            MappingWrite.Done, await subject.Of("other").Mappings.CreateAsync(Sample.Mapping("2", meter: "mtr_2"), _cancellation));
    }

    public async Task Create_AMeterThatIsFed_IsRefusedAcrossTenants()
    {
        await _mappings.CreateAsync(Sample.Mapping("1"), _cancellation);
        var other = subject.Of("other").Mappings;

        Assert.Equal(MappingWrite.MeterTaken, await _mappings.CreateAsync(Sample.Mapping("2", "metric_2"), _cancellation));
        Assert.Equal(MappingWrite.MeterTaken, await other.CreateAsync(Sample.Mapping("1"), _cancellation));
        Assert.Equal(
            MappingWrite.Done,
            await other.CreateAsync(Sample.Mapping("1") with { StripeAccount = "acct_2" }, _cancellation));
    }

    public async Task Create_InactiveMappings_ClashWithNothing()
    {
        await _mappings.CreateAsync(Sample.Mapping("1", active: false), _cancellation);

        Assert.Equal(MappingWrite.Done, await _mappings.CreateAsync(Sample.Mapping("2", active: false), _cancellation));
        Assert.Equal(MappingWrite.Done, await _mappings.CreateAsync(Sample.Mapping("3"), _cancellation));
        Assert.Equal(MappingWrite.Done, await _mappings.CreateAsync(Sample.Mapping("4", active: false), _cancellation));
    }

    public async Task Create_FromManyTasks_OneWins()
    {
        var writes = await Task.WhenAll(Enumerable.Range(0, 8).Select(number => Task.Run(
            () => subject.Of($"tenant {number % 2}").Mappings.CreateAsync(Sample.Mapping($"{number}"), _cancellation))));

        Assert.Single(writes, write => write == MappingWrite.Done);
        Assert.All(writes, write => Assert.True(write is MappingWrite.Done or MappingWrite.MetricTaken or MappingWrite.MeterTaken));
    }

    public async Task Update_ItsOwnMetricAndMeter_DoNotClash()
    {
        await _mappings.CreateAsync(Sample.Mapping("1"), _cancellation);
        var changed = Sample.Mapping("1") with { Currency = "usd", Aggregation = Aggregation.Max };

        Assert.Equal(MappingWrite.Done, await _mappings.UpdateAsync(changed, null, _cancellation));

        var stored = await _mappings.GetAsync("1", _cancellation);
        Assert.Equal(("usd", Aggregation.Max), (stored!.Currency, stored.Aggregation));
    }

    public async Task Update_OfOneThatWasUpdatedSince_IsRefusedAndChangesNothing()
    {
        var created = Sample.Mapping("1");
        var updated = created with { Currency = "usd", Updated = new(created.Updated.Ticks + 1) };
        await _mappings.CreateAsync(created, _cancellation);

        Assert.Equal(MappingWrite.Done, await _mappings.UpdateAsync(updated, created.Updated, _cancellation));
        Assert.Equal(MappingWrite.Changed, await _mappings.UpdateAsync(updated with { Currency = "eur" }, created.Updated, _cancellation));
        Assert.Equal(MappingWrite.NotFound, await _mappings.UpdateAsync(Sample.Mapping("2"), created.Updated, _cancellation));

        Assert.Equal("usd", (await _mappings.GetAsync("1", _cancellation))!.Currency);
    }

    public async Task Update_FromManyTasksOfOneState_OneWins()
    {
        var created = Sample.Mapping("1");
        await _mappings.CreateAsync(created, _cancellation);

        var writes = await Task.WhenAll(Enumerable.Range(1, 8).Select(number => Task.Run(() => _mappings.UpdateAsync(
            created with { Updated = new(created.Updated.Ticks + number) }, created.Updated, _cancellation))));

        Assert.Single(writes, write => write == MappingWrite.Done);
        Assert.Equal(7, writes.Count(write => write == MappingWrite.Changed));
    }

    public async Task Update_IntoAClash_IsRefusedAndChangesNothing()
    {
        await _mappings.CreateAsync(Sample.Mapping("1"), _cancellation);
        await _mappings.CreateAsync(Sample.Mapping("2", "metric_2", "mtr_2"), _cancellation);
        await _mappings.CreateAsync(Sample.Mapping("3", active: false), _cancellation);

        Assert.Equal(MappingWrite.MetricTaken, await _mappings.UpdateAsync(Sample.Mapping("2", meter: "mtr_2"), null, _cancellation));
        Assert.Equal(MappingWrite.MeterTaken, await _mappings.UpdateAsync(Sample.Mapping("2", "metric_2"), null, _cancellation));
        Assert.Equal(MappingWrite.MetricTaken, await _mappings.UpdateAsync(Sample.Mapping("3"), null, _cancellation));

        var stored = await _mappings.GetAsync("2", _cancellation);
        Assert.Equal(("metric_2", "mtr_2"), (stored!.Metric, stored.MeterId));
        Assert.False((await _mappings.GetAsync("3", _cancellation))!.Active);
    }

    public async Task Update_AMappingThatIsNotThere_IsNotFound()
    {
        await subject.Of("other").Mappings.CreateAsync(Sample.Mapping("1"), _cancellation);

        Assert.Equal(MappingWrite.NotFound, await _mappings.UpdateAsync(Sample.Mapping("1", "metric_2", "mtr_2"), null, _cancellation));
        Assert.Empty(await _mappings.ListAsync(null, null, null, 10, _cancellation));
    }

    public async Task Deactivating_OrDeleting_FreesMetricAndMeter()
    {
        await _mappings.CreateAsync(Sample.Mapping("1"), _cancellation);
        await _mappings.UpdateAsync(Sample.Mapping("1", active: false), null, _cancellation);
        Assert.Equal(MappingWrite.Done, await _mappings.CreateAsync(Sample.Mapping("2"), _cancellation));

        Assert.True(await _mappings.DeleteAsync("2", _cancellation));
        Assert.False(await _mappings.DeleteAsync("2", _cancellation));

        Assert.Equal(MappingWrite.Done, await _mappings.UpdateAsync(Sample.Mapping("1"), null, _cancellation));
        Assert.Null(await _mappings.GetAsync("2", _cancellation));
    }

    public async Task Delete_AMappingOfAnotherTenant_LeavesIt()
    {
        await subject.Of("other").Mappings.CreateAsync(Sample.Mapping("1"), _cancellation);

        Assert.False(await _mappings.DeleteAsync("1", _cancellation));

        Assert.Null(await _mappings.GetAsync("1", _cancellation));
        Assert.NotNull(await subject.Of("other").Mappings.GetAsync("1", _cancellation));
    }

    public async Task List_AnyFilter_InTheOrderOfIdsAndInPages()
    {
        for (var index = 0; index < Sample.Texts.Length; index++)
        {
            var mapping = Sample.Mapping(Sample.Texts[^(index + 1)], $"metric_{index % 3}", $"mtr_{index}", active: index < 3);
            Assert.Equal(MappingWrite.Done, await _mappings.CreateAsync(mapping, _cancellation));
        }

        await subject.Of("other").Mappings.CreateAsync(Sample.Mapping("other", meter: "mtr_other"), _cancellation);

        Assert.Equal(Sample.Texts, await PageAsync(null, null));
        Assert.Equal(Sample.Texts[^3..], await PageAsync(null, true));
        Assert.Equal(Sample.Texts[..^3], await PageAsync(null, false));
        Assert.Equal([Sample.Texts[^1]], await PageAsync("metric_0", true));
        Assert.Empty(await PageAsync("none", null));
    }

    private async Task<List<string>> PageAsync(string? metric, bool? active)
    {
        var ids = new List<string>();
        while (await _mappings.ListAsync(metric, active, ids.Count == 0 ? null : ids[^1], 2, _cancellation) is { Count: > 0 } page)
            ids.AddRange(page.Select(mapping => mapping.Id));
        return ids;
    }
}
