using StripeMeter.Kits.Simulated.Database;
using StripeMeter.Metering.Auditing;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Tests.Auditing;

public sealed class CounterAuditorTests : IAsyncDisposable
{
    private static readonly TenantId Tenant = new("acme");
    private static readonly Instant Noon = Instant.OfDate(2026, 3, 14) + TimeSpan.FromHours(12);
    private readonly SimulatedStore _store = SimulatedStore.Harmless();

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    private ITenantStore Acme => _store.Of(Tenant);

    [Fact]
    public async Task Check_ARowAsTheLedgerHasIt_Matches()
    {
        var row = await ProjectAsync(sum: 5);

        Assert.Equal(AuditOutcome.Matches, (await CheckAsync(row)).Outcome);
    }

    [Fact]
    public async Task Check_ARowThatIsOff_DiffersAndSaysWhatTheLedgerHas()
    {
        var row = await ProjectAsync(sum: 6);

        var result = await CheckAsync(row);

        Assert.Equal(AuditOutcome.Differs, result.Outcome);
        Assert.Equal(Quantity.FromInteger(5), result.Recounted.Aggregates.Sum);
    }

    [Fact]
    public async Task Check_WhileTheCounterIsBeingCountedAnew_IsUndecided()
    {
        var row = await ProjectAsync(sum: 6);
        await Acme.Ledger.AppendAsync(0, [ControlRecords.CounterRepaired("r", "m", "c", Noon, "", Noon)], CancellationToken.None);
        row = row with { Counter = row.Counter with { Version = new CounterVersion(0, 2) } };
        await Acme.Projection.WriteAsync([row], CancellationToken.None);
        await Acme.Projection.AddRecountsAsync(
            0, [new RecountItem(row.LogId, 2, RecountScope.OfCounter(row.Counter.Key, row.Counter.Period.End))], CancellationToken.None);

        Assert.Equal(AuditOutcome.Undecided, (await CheckAsync(row)).Outcome);
    }

    [Fact]
    public async Task Walk_OverAllCounters_ComesRoundToEach()
    {
        await ProjectAsync(sum: 5);
        var walk = new AuditWalk(_store, _ => 0, pageRecords: 10);

        Assert.NotNull(await walk.NextAsync(CancellationToken.None));
        Assert.Null(await walk.NextAsync(CancellationToken.None));
        Assert.Equal(AuditOutcome.Matches, (await walk.NextAsync(CancellationToken.None))?.Result.Outcome);
    }

    /// <summary>One event of 5 in the ledger, and a row that says <paramref name="sum"/>.</summary>
    private async Task<CounterRow> ProjectAsync(long sum)
    {
        var usage = new UsageEvent("m", "c", "", Quantity.FromInteger(5), Noon, "", EventSource.Http);
        await Acme.Ledger.AppendAsync(0, [LedgerRecord.OfEvent("k", Fingerprint.Of(usage), usage, Noon, late: false)], CancellationToken.None);
        var head = await Acme.Ledger.HeadAsync(0, CancellationToken.None);
        var period = new Metering.Periods.BillingPeriod(Instant.OfDate(2026, 3, 1), Instant.OfDate(2026, 4, 1));
        var (quantity, five) = (Quantity.FromInteger(sum), Quantity.FromInteger(5));
        var counter = new Counter(
            new CounterKey("m", "c", period.Start), period, new Aggregates(quantity, 1, five, five, five, Noon, "k"), new CounterVersion(0, 1));
        var row = new CounterRow(counter, 0, head.LogId, Noon);
        await Acme.Projection.WriteAsync([row], CancellationToken.None);
        return row;
    }

    private Task<AuditResult> CheckAsync(CounterRow row) => new CounterAuditor(Acme, pageRecords: 10).CheckAsync(row, CancellationToken.None);
}
