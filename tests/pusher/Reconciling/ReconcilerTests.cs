using Microsoft.Extensions.Time.Testing;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Reconciling;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.Storage.Sqlite;

namespace StripeMeter.Pusher.Tests.Reconciling;

/// <summary>What a report says, by a clock that is set and summaries that are said.</summary>
public sealed class ReconcilerTests : IAsyncDisposable
{
    private static readonly BillingPeriod March = new(Instant.OfDate(2026, 3, 1), Instant.OfDate(2026, 4, 1));
    private static readonly Instant Told = Instant.OfDate(2026, 3, 10);
    private static readonly DeltaKey Key = new("acct_1", false, "mtr_1", "cus_1");
    private readonly string _folder = Directory.CreateTempSubdirectory("stripemeter-reconciler-").FullName;
    private readonly FakeTimeProvider _clock = new(Instant.OfDate(2026, 3, 20).ToOffset());
    private readonly SaidSummaries _summaries = new();
    private readonly ReconciliationRules _rules = new() { KeptHistory = 3 };
    private readonly SqliteMeterStore _store;

    public ReconcilerTests() => _store = new SqliteMeterStore(_folder);

    private ITenantStore Tenant => _store.Of(new TenantId("acme"));

    private ReconciliationBook Book => new(Tenant.Documents, _rules);

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Report_SmallDrift_IsOkWhileThePeriodRuns_AndNotBehindItsEnd_AndResolvedOnceItIsGone()
    {
        await TellAsync("1000");
        _summaries.Say(Told, "1000");
        _summaries.Say(Told + TimeSpan.FromHours(3) + TimeSpan.FromMinutes(7), "4");
        var report = await CompareAsync();
        Assert.Equal((ReconciliationStatus.Ok, DriftReason.ForeignWriter, "4", 0.003984m), (report.Status, report.Reason, report.Drift.ToString(), report.DriftFraction));
        Assert.Equal([new ForeignUsage(Told + TimeSpan.FromHours(3) + TimeSpan.FromMinutes(7), Quantity.FromInteger(4))], report.Foreign);

        _clock.SetUtcNow((March.End + TimeSpan.FromMinutes(10)).ToOffset());
        report = await CompareAsync();
        Assert.Equal(ReconciliationStatus.Investigate, report.Status);
        _summaries.Say(Told + TimeSpan.FromHours(3) + TimeSpan.FromMinutes(7), "0");
        report = await CompareAsync();
        Assert.Equal((ReconciliationStatus.Resolved, DriftReason.None, "0"), (report.Status, report.Reason, report.Drift.ToString()));
        Assert.Equal(2, (await Book.HistoryAsync(report.Id, CancellationToken.None)).Count);
    }

    [Fact]
    public async Task Report_WhatIsOnItsWay_IsExplained_AndNoDrift()
    {
        await TellAsync("1000", target: "1750.5");
        _summaries.Say(Told, "1000");
        var report = await CompareAsync();
        Assert.Equal(
            (ReconciliationStatus.Ok, "1750.5", "1000", "750.5", "0"),
            (report.Status, report.Expected.ToString(), report.AtStripe.ToString(), report.InFlight.ToString(), report.Drift.ToString()));
    }

    /// <summary>An hour that a period's edge cuts holds what its neighbours told too, which nobody else wrote.</summary>
    [Fact]
    public async Task Report_PeriodThatBeginsWithinAnHour_NamesOnlyWhatIsForeignWithinIt()
    {
        var period = new BillingPeriod(March.Start + TimeSpan.FromMinutes(20), March.End + TimeSpan.FromMinutes(20));
        await TellAsync("1000", period: period);
        _summaries.Say(Told, "1000");
        _summaries.Say(period.Start - TimeSpan.FromMinutes(10), "7");
        _summaries.Say(period.Start + TimeSpan.FromMinutes(10), "4");
        _summaries.Say(period.End - TimeSpan.FromMinutes(10), "2");
        _summaries.Say(period.End + TimeSpan.FromMinutes(10), "50");

        var report = await CompareAsync(period);

        Assert.Equal((DriftReason.ForeignWriter, "6"), (report.Reason, report.Drift.ToString()));
        Assert.Equal(
            [new ForeignUsage(period.Start + TimeSpan.FromMinutes(10), Quantity.FromInteger(4)), new ForeignUsage(period.End - TimeSpan.FromMinutes(10), Quantity.FromInteger(2))],
            report.Foreign);
    }

    [Fact]
    public async Task Report_WhatStripeLacks_IsLookedForInItsMinute_AndLagsOnlyAsLongAsItMay()
    {
        await TellAsync("1000", created: Instant.OfDate(2026, 3, 20) - TimeSpan.FromMinutes(30));
        var report = await CompareAsync();
        Assert.Equal((ReconciliationStatus.Ok, DriftReason.SummariesLag), (report.Status, report.Reason));
        _clock.Advance(TimeSpan.FromHours(1));
        report = await CompareAsync();
        Assert.Equal((ReconciliationStatus.Investigate, DriftReason.LookedFor, "-1000"), (report.Status, report.Reason, report.Drift.ToString()));
        Assert.Single((await Tenant.Deltas.LoadAsync(Key, CancellationToken.None))!.Checking);
    }

    [Fact]
    public async Task Report_OfAnotherWriterBesideAYoungPush_IsNotTakenForLag()
    {
        await TellAsync("1000", created: Instant.OfDate(2026, 3, 20) - TimeSpan.FromMinutes(5));
        _summaries.Say(Told, "1000");
        _summaries.Say(Told - TimeSpan.FromHours(5), "50");
        var report = await CompareAsync();
        Assert.Equal((ReconciliationStatus.Investigate, DriftReason.ForeignWriter, "50"), (report.Status, report.Reason, report.Drift.ToString()));
    }

    [Fact]
    public async Task Run_ReadsOnlyWhatMoved_AndWhatStoodBadly_UntilTheSweep()
    {
        await TellAsync("1000");
        _summaries.Say(Told, "1000");
        await CompareAsync();
        var read = _summaries.Reads;
        var tally = await RunAsync();
        Assert.Equal((read, 1, 1), (_summaries.Reads, tally.Ok, tally.NotRead));
        await RunAsync(isFull: true);
        Assert.Equal(read + 1, _summaries.Reads);
        _clock.Advance(_rules.SweepInterval);
        Assert.Equal(0, (await RunAsync()).NotRead);
        _clock.SetUtcNow((March.End + _rules.SettledAfter + TimeSpan.FromDays(10)).ToOffset());
        await RunAsync();
        Assert.Equal(1, (await RunAsync()).NotRead);
    }

    [Fact]
    public async Task Run_BeyondTheReadBudget_SaysWhatItCouldNotRead()
    {
        await TellAsync("1000");
        _summaries.Say(Told, "1000");
        var budgeted = new BudgetedSummaries(_summaries, new ReadBudget(_store.Directory, 1, _clock));
        Assert.NotNull(await budgeted.TotalAsync(Key, March.Start, March.End, CancellationToken.None));
        Assert.Null(await budgeted.TotalAsync(Key, March.Start, March.End, CancellationToken.None));
        // Another pusher, or the same after a restart, has what is left and no more.
        var again = new BudgetedSummaries(_summaries, new ReadBudget(_store.Directory, 1, _clock));
        Assert.Null(await again.TotalAsync(Key, March.Start, March.End, CancellationToken.None));
        Assert.Equal(1, (await RunAsync(summaries: budgeted)).Unreadable);
        Assert.NotNull(await budgeted.TotalAsync(Key with { Account = "acct_2" }, March.Start, March.End, CancellationToken.None));
        _clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal(0, (await RunAsync(summaries: budgeted)).Unreadable);
    }

    [Fact]
    public async Task Run_BeyondTheReadBudget_ComesToTheOthersFirstTheNextTime()
    {
        var others = new[] { Key, Key with { StripeCustomer = "cus_2" }, Key with { StripeCustomer = "cus_3" } };
        foreach (var key in others)
            await TellAsync("1000", key: key);
        _summaries.Say(Told, "1000");
        var budgeted = new BudgetedSummaries(_summaries, new ReadBudget(_store.Directory, 1, _clock));
        foreach (var day in Enumerable.Range(1, others.Length))
        {
            var tally = await RunAsync(isFull: true, budgeted);
            Assert.Equal((1, 2), (tally.Ok, tally.Unreadable));
            Assert.Equal(day, (await Book.ListAsync(March.Start, March.End, null, 10, CancellationToken.None)).Count);
            _clock.Advance(TimeSpan.FromDays(1));
        }
    }

    [Fact]
    public async Task History_KeepsTheNewestChanges_AndRepeatsNothing()
    {
        await TellAsync("1000");
        for (var number = 1; number <= 6; number++)
        {
            _summaries.Say(Told - TimeSpan.FromHours(5), $"{number * 100}");
            await CompareAsync();
            await CompareAsync();
        }

        var history = await Book.HistoryAsync(ReportId.Of(Key, March.Start), CancellationToken.None);
        Assert.Equal(["500", "400", "300"], history.Select(report => report.AtStripe.ToString()));
    }

    [Fact]
    public async Task Runs_OfOneTurnOfTheCadence_AreOne_AndAreMadeByOne_UntilTheyAreAbandoned()
    {
        var runs = new ReconciliationRuns(Tenant.Documents, _rules, _clock);
        await runs.ScheduleAsync(TimeSpan.FromHours(1), CancellationToken.None);
        await runs.ScheduleAsync(TimeSpan.FromHours(1), CancellationToken.None);
        var claimed = await runs.ClaimAsync(CancellationToken.None);
        Assert.NotNull(claimed);
        Assert.Null(await runs.ClaimAsync(CancellationToken.None));
        _clock.Advance(ReconciliationRuns.Lease);
        Assert.Equal(claimed.Id, (await runs.ClaimAsync(CancellationToken.None))!.Id);
        Assert.True(await runs.EnterAsync(claimed with { State = RunState.Completed, Tally = new RunTally { Ok = 3 } }, CancellationToken.None));
        Assert.Null(await runs.ClaimAsync(CancellationToken.None));
        Assert.Equal((RunState.Completed, 3), ((await runs.FindAsync(claimed.Id, CancellationToken.None))!.State, (await runs.FindAsync(claimed.Id, CancellationToken.None))!.Tally.Ok));
        Assert.False(await runs.EnterAsync(claimed, CancellationToken.None));
        _clock.Advance(TimeSpan.FromHours(1));
        await runs.ScheduleAsync(TimeSpan.FromHours(1), CancellationToken.None);
        Assert.Equal(2, (await runs.ListAsync(10, CancellationToken.None)).Count);
    }

    [Theory]
    [InlineData("0", "0", "0")]
    [InlineData("5", "0", "1")]
    [InlineData("-5", "1000", "0.005")]
    [InlineData("0.000000000001", "99999999999999999999999999", "0")]
    [InlineData("99999999999999999999999999", "0.000000000001", "1000000")]
    public void DriftFraction_IsOfWhatStripeHas(string difference, string atStripe, string fraction) =>
        Assert.Equal(fraction, Drift.FractionOf(Quantity.Parse(difference), Quantity.Parse(atStripe)).ToString("0.######", System.Globalization.CultureInfo.InvariantCulture));

    [Fact]
    public void SuggestionId_LeadsToItsReport_AndOthersToNone()
    {
        var report = ReportId.Of(Key with { StripeCustomer = "a/b \u00e9" }, March.Start);
        Assert.Equal(report, ReportId.OfReport(ReportId.OfSuggestion(report, 12)));
        foreach (var other in new[] { "", "recon_", "recon_!", "late_abc", "recon_YWJj" })
            Assert.Null(ReportId.OfReport(other));
    }

    /// <summary>A document whose one push was accepted and found.</summary>
    private async Task TellAsync(string accepted, string? target = null, Instant? created = null, DeltaKey? key = null, BillingPeriod? period = null)
    {
        var (document, within) = (key ?? Key, period ?? March);
        var intent = new PushIntent
        {
            Identifier = $"sm_{document.StripeCustomer}", Number = 1, Meter = new MeterNames("tokens", "c", "v"), Period = within, Value = Quantity.Parse(accepted),
            Minute = Told, Created = created ?? Told, State = IntentState.Accepted, Closing = 1, Attempts = 1, FirstSent = created ?? Told,
        };
        var contribution = new Contribution("tokens", "ref", Quantity.Parse(target ?? accepted), new CounterVersion(0, 1), "log", Told);
        var told = new DeltaDocument { Key = document, Meter = intent.Meter, Minted = 1, Closings = 1, Used = UsedMinutes.None.With(Told) }
            .With(new PeriodDelta { Period = within, Contributions = [contribution], Accepted = intent.Value });
        Assert.True(await Tenant.Deltas.SaveAsync(told, CancellationToken.None));
        await Tenant.Deltas.AppendHistoryAsync(document, intent, CancellationToken.None);
    }

    private async Task<ReconciliationReport> CompareAsync(BillingPeriod? period = null)
    {
        await RunAsync(isFull: true);
        return (await Book.FindAsync(ReportId.Of(Key, (period ?? March).Start), CancellationToken.None))!.Value.Report;
    }

    private Task<RunTally> RunAsync(bool isFull = false, IMeterSummaries? summaries = null) =>
        new Reconciler(Tenant, summaries ?? _summaries, new PushProtocol(new PushRules(), () => 0), _rules, _clock)
            .RunAsync(isFull, _ => ValueTask.FromResult(true), (_, _) => Task.CompletedTask, CancellationToken.None);

    /// <summary>Summaries of what was said to be in which minute.</summary>
    private sealed class SaidSummaries : IMeterSummaries
    {
        private readonly Dictionary<Instant, Quantity> _minutes = [];

        public int Reads { get; private set; }

        public void Say(Instant minute, string value) => _minutes[minute.ToMinute()] = Quantity.Parse(value);

        public Task<Quantity?> TotalAsync(DeltaKey key, Instant start, Instant end, CancellationToken cancellation)
        {
            Reads++;
            return Task.FromResult<Quantity?>(Sum(start, end));
        }

        public Task<IReadOnlyList<HourTotal>?> HoursAsync(DeltaKey key, Instant start, Instant end, CancellationToken cancellation)
        {
            Reads++;
            var hours = new List<HourTotal>();
            for (var hour = start; hour < end; hour += TimeSpan.FromHours(1))
                hours.Add(new HourTotal(hour, Sum(hour, hour + TimeSpan.FromHours(1))));
            return Task.FromResult<IReadOnlyList<HourTotal>?>(hours);
        }

        private Quantity Sum(Instant start, Instant end) =>
            _minutes.Where(entry => entry.Key >= start && entry.Key < end).Aggregate(Quantity.Zero, (sum, entry) => sum + entry.Value);
    }
}
