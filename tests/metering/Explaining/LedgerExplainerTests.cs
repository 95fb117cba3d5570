using StripeMeter.Kits.Simulated.Database;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Explaining;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Tests.Explaining;

public sealed class LedgerExplainerTests : IAsyncDisposable
{
    private static readonly Instant Noon = Instant.OfDate(2026, 3, 14) + TimeSpan.FromHours(12);
    private readonly SimulatedStore _store = SimulatedStore.Harmless();

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    private ITenantStore Acme => _store.Of(new TenantId("acme"));

    private LedgerExplainer Explainer => new(Acme);

    [Fact]
    public async Task Find_EventsOfEveryStanding_SaysWhatBecameOfEach()
    {
        await AppendAsync(
            Event("counted"), Event("held", late: true), Event("approved", late: true), Event("reverted", late: true),
            Event("excluded", session: "s"), Event("staying", session: "t"),
            ControlRecords.LateEventApproved("approved", Usage, "", Noon), ControlRecords.LateEventApproved("reverted", Usage, "", Noon),
            ControlRecords.LateEventReverted("reverted", Usage, "", Noon), ControlRecords.SessionExcluded("s", 0, "", Noon));

        (string Key, RecordStanding Standing, long SettledAt)[] expected =
        [
            ("counted", RecordStanding.Counted, 1), ("held", RecordStanding.Held, 2), ("approved", RecordStanding.Approved, 7),
            ("reverted", RecordStanding.Reverted, 9), ("excluded", RecordStanding.Excluded, 10), ("staying", RecordStanding.Counted, 6),
        ];
        foreach (var (key, standing, settledAt) in expected)
        {
            var trail = await Explainer.FindAsync(key, CancellationToken.None);
            Assert.Equal((standing, settledAt), (trail!.Standing, trail.SettledAt));
            Assert.Equal(standing is RecordStanding.Counted or RecordStanding.Approved, trail.Counts);
        }
    }

    [Fact]
    public async Task Find_KeyOfAnotherTenantOrOfAControlRecord_FindsNothing()
    {
        await AppendAsync(Event("k", late: true), ControlRecords.LateEventApproved("k", Usage, "", Noon));

        Assert.Null(await new LedgerExplainer(_store.Of(new TenantId("other"))).FindAsync("k", CancellationToken.None));
        Assert.Null(await Explainer.FindAsync("late/k/approved", CancellationToken.None));
    }

    [Fact]
    public async Task Find_EventOfAnAnchoredCustomer_IsInTheAnchoredPeriod()
    {
        await AppendAsync(
            Event("k"), ControlRecords.AnchorChanged("a", "c", Instant.OfDate(2026, 3, 10), new PeriodAnchor(10, 61), Instant.OfDate(2026, 3, 1), "", Noon));

        var trail = await Explainer.FindAsync("k", CancellationToken.None);

        var minute = TimeSpan.FromMinutes(61);
        Assert.Equal(new BillingPeriod(Instant.OfDate(2026, 3, 10) + minute, Instant.OfDate(2026, 4, 10) + minute), trail!.Period);
    }

    [Fact]
    public async Task List_OfACounter_HasEventsAndCorrectionsOfItsPeriodOnlyInPages()
    {
        var last = new Instant(Instant.OfDate(2026, 4, 1).Ticks - 1);
        await AppendAsync(
            Event("b", at: Noon), Event("a", at: Instant.OfDate(2026, 3, 1)), Event("z", at: last), Event("before", at: new Instant(Instant.OfDate(2026, 3, 1).Ticks - 1)),
            Event("behind", at: Instant.OfDate(2026, 4, 1)),
            ControlRecords.AdjustmentApproved("1", "m", "c", Noon, Quantity.FromInteger(-2), "", Noon),
            ControlRecords.AdjustmentReverted("1", "m", "c", Noon, Quantity.FromInteger(-2), "", Noon),
            ControlRecords.CounterRepaired("r", "m", "c", Noon, "", Noon));
        var (series, period) = (new EventSeries("c", "m"), new BillingPeriod(Instant.OfDate(2026, 3, 1), Instant.OfDate(2026, 4, 1)));

        var trails = new List<RecordTrail>();
        EventCursor? after = null;
        do
        {
            var page = await Explainer.ListAsync(series, period, after, 2, CancellationToken.None);
            trails.AddRange(page.Trails);
            after = page.Next;
        }
        while (after is not null);

        Assert.Equal(["a", "b", "adjustment/1/approved", "z"], trails.Select(trail => trail.Entry.Record.Key));
        Assert.Equal((RecordStanding.Reverted, "-2"), (trails[2].Standing, trails[2].Quantity.ToString()));
    }

    private static UsageEvent Usage => new("m", "c", "", Quantity.FromInteger(5), Noon, "", EventSource.Http);

    private static LedgerRecord Event(string key, bool late = false, string session = "", Instant? at = null)
    {
        var usage = Usage with { Timestamp = at ?? Noon };
        return LedgerRecord.OfEvent(key, Fingerprint.Of(usage), usage, Noon, late, session);
    }

    private async Task AppendAsync(params LedgerRecord[] records) => await Acme.Ledger.AppendAsync(0, records, CancellationToken.None);
}
