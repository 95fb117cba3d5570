using Grpc.Core;
using Stripe.Billing;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;
using StripeMeter.Pusher.Tests.Kit;
using StripeMeter.V1;
using CounterVersion = StripeMeter.Metering.Counting.CounterVersion;
using StoredIntent = StripeMeter.Metering.Pushing.PushIntent;
using StoredState = StripeMeter.Metering.Pushing.IntentState;

namespace StripeMeter.Pusher.Tests.Reconciling;

/// <summary>Comparing with the double, by gRPC.</summary>
[Collection(nameof(WholeProcess))]
public sealed class ReconciliationServiceTests
{
    [Fact]
    public async Task Run_OfWhatAgrees_SaysSo_AndOnlyToItsTenant()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var mapping = await subject.MapAsync("tokens");
        await subject.CountAsync("tokens", "cus_1", "5.25");
        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "5.25");
        var run = await RunAsync(subject);
        Assert.Equal((RunState.Completed, 1, 0, 0), (run.State, run.OkCount, run.InvestigateCount, run.UnreadableCount));
        var report = Assert.Single(await ReportsAsync(subject));
        Assert.Equal(("5.25", "5.25", "0", "0", ReconciliationStatus.Ok), (report.ExpectedTotal, report.StripeTotal, report.InFlight, report.Drift, report.Status));
        Assert.Equal((["tokens"], ["cus_1"]), (report.Metrics, report.CustomerRefs));

        var missing = await Assert.ThrowsAsync<RpcException>(async () => await subject.Reconciliation.GetReconciliationRunAsync(new() { TenantId = "other", RunId = run.Id }));
        Assert.Equal(StatusCode.NotFound, missing.StatusCode);
        Assert.Empty(await ReportsAsync(subject, "other"));
    }

    [Fact]
    public async Task Run_WithAnotherWriter_NamesTheMinute_AndSuggestsACorrection()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var minute = (Instant.Of(PusherUnderTest.Clock.GetUtcNow()) - TimeSpan.FromHours(2)).ToMinute();
        var mapping = await subject.MapAsync("tokens");
        await subject.CountAsync("tokens", "cus_1", "100");
        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "100");
        await WriteAsync(subject, "tokens", "cus_1", "7", minute);

        var run = await RunAsync(subject);
        Assert.Equal((0, 1), (run.OkCount, run.InvestigateCount));
        var report = Assert.Single(await ReportsAsync(subject));
        Assert.Equal((ReconciliationStatus.Investigate, DriftReason.ForeignWriter, "7", "0.065420"), (report.Status, report.Reason, report.Drift, report.DriftFraction.PadRight(8, '0')));
        Assert.Equal([(minute.ToTimestamp(), "7")], report.Foreign.Select(usage => (usage.Minute, usage.Value)));
        Assert.Equal(("tokens", "cus_1", "-7"), (report.Suggestion.Metric, report.Suggestion.CustomerRef, report.Suggestion.Delta));

        await RunAsync(subject);
        Assert.Equal(report.Suggestion, Assert.Single(await ReportsAsync(subject)).Suggestion);
        var applied = await subject.Reconciliation.ApplySuggestionsAsync(new() { TenantId = "other", Ids = { report.Suggestion.Id, report.Suggestion.Id[..^2] } });
        Assert.All(applied.Results, result => Assert.False(result.Applied));
        var summary = await subject.Reconciliation.SummarizeReconciliationAsync(new() { TenantId = PusherUnderTest.Tenant, StartTime = ThisMonth, EndTime = NextMonth });
        Assert.Equal(("tokens", "100", "107", "7", 1), (summary.Metrics[0].Metric, summary.Overall.ExpectedTotal, summary.Overall.StripeTotal, summary.Overall.DriftAbs, summary.Overall.ItemCount));
    }

    [Fact]
    public async Task Run_WhenStripeDoesNotAnswer_CouldNotRead_AndInventsNoZeros()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var mapping = await subject.MapAsync("tokens");
        await subject.CountAsync("tokens", "cus_1", "5");
        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "5");
        await subject.Double.DisposeAsync();
        var run = await RunAsync(subject);
        Assert.Equal((RunState.Failed, 0, 0, 1), (run.State, run.OkCount, run.InvestigateCount, run.UnreadableCount));
        Assert.Contains("answered for none", run.Problem, StringComparison.Ordinal);
        Assert.Empty(await ReportsAsync(subject));
        Assert.Contains("result=\"failed\"", Assert.Single(await subject.MetricAsync("recon_runs_total")), StringComparison.Ordinal);
    }

    /// <param name="goes">When the mapping is deleted: before the first run, or once a run has compared it.</param>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Run_OfAShadow_IsReportedAndCountsInNoSum_AlsoOnceItsMappingIsGone(int goes)
    {
        await using var account = await TestAccount.StartAsync();
        await using var subject = await PusherUnderTest.StartAsync(1, account.Settings);
        var meter = await account.CreateMeterAsync("shadow_calls");
        var mapping = await subject.MapAsync("tokens", change: mapping => (mapping.Shadow, mapping.ShadowMeterId) = (true, meter.Id));
        await subject.CountAsync("tokens", "cus_1", "5");
        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "5");
        await Patience.UntilAsync(async () =>
        {
            var documents = await subject.Store.Deltas.ListAsync(new(), CancellationToken.None);
            return documents.Count == 2 && documents.All(document => document.BehindSince is null && document.Open is null);
        });

        for (var run = 1; run <= 2; run++)
        {
            if (run == goes)
                await subject.Mappings.DeleteMappingAsync(new DeleteMappingRequest { TenantId = PusherUnderTest.Tenant, Id = mapping.Id });
            Assert.Equal((RunState.Completed, 2), await RunAsync(subject) is var ended ? (ended.State, ended.OkCount) : default);
            var reports = (await ReportsAsync(subject)).OrderBy(report => report.Shadow).ToList();
            Assert.Equal([(mapping.MeterId, false, "5", "5"), (meter.Id, true, "5", "5")], reports.Select(report => (report.MeterId, report.Shadow, report.ExpectedTotal, report.StripeTotal)));
            var summary = await subject.Reconciliation.SummarizeReconciliationAsync(new() { TenantId = PusherUnderTest.Tenant, StartTime = ThisMonth, EndTime = NextMonth });
            Assert.Equal(("5", "5", 1), (summary.Overall.ExpectedTotal, summary.Overall.StripeTotal, summary.Overall.ReportCount));
        }
    }

    /// <summary>A total that was told days ago and does not stand at Stripe, which settles nothing for as long.</summary>
    [Fact]
    public async Task Run_WhereATotalIsToldAgain_LeavesATraceBehindTheReport()
    {
        await using var subject = await PusherUnderTest.StartAsync(pushers: 0);
        using var logs = new CapturedLogs();
        await subject.StartPusherAsync(logs);
        var meter = await subject.CreateMeterAsync("calls", window: "hour");
        var told = Instant.Of(PusherUnderTest.Clock.GetUtcNow() - TimeSpan.FromDays(4)).Floor(TimeSpan.FromHours(1));
        var period = new BillingPeriod(told - TimeSpan.FromDays(1), told + TimeSpan.FromDays(20));
        await LoseAsync(subject, new DeltaKey(subject.Double.AccountId, false, meter.Id, "cus_1"), period, told);

        await RunAsync(subject);
        await Patience.UntilEqualAsync("7", () => Task.FromResult(string.Join(' ', subject.Double.ReadEvents().Select(taken => taken.Value))));
        await Patience.UntilAsync(async () => (await subject.DocumentAsync(meter.Id, "cus_1"))!.BehindSince is null);
        await RunAsync(subject);

        var reports = await subject.Reconciliation.ListReconciliationReportsAsync(new()
        {
            TenantId = PusherUnderTest.Tenant, StartTime = period.Start.ToTimestamp(), EndTime = period.End.ToTimestamp(),
        });
        Assert.Equal((ReconciliationStatus.Resolved, "7"), Assert.Single(reports.Reports) is var report ? (report.Status, report.StripeTotal) : default);
        Assert.Contains("} 1", await FindingsAsync(subject, "told_again"), StringComparison.Ordinal);
        Assert.Contains("} 0", await FindingsAsync(subject, "foreign_writer"), StringComparison.Ordinal);
        var line = Assert.Single(logs.Lines, line => line.Contains("ToldAgain", StringComparison.Ordinal));
        Assert.Contains(meter.Id, line, StringComparison.Ordinal);
        Assert.DoesNotContain("cus_1", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Requests_ThatMakeNoSense_AreRefusedByField()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var service = subject.Reconciliation;
        foreach (var call in new Func<Task>[]
        {
            async () => await service.RunReconciliationAsync(new()),
            async () => await service.ListReconciliationReportsAsync(new() { TenantId = "acme" }),
            async () => await service.ListReconciliationReportsAsync(new() { TenantId = "acme", StartTime = NextMonth, EndTime = ThisMonth }),
            async () => await service.ApplySuggestionsAsync(new() { TenantId = "acme" }),
            async () => await service.GetReconciliationRunAsync(new() { TenantId = "acme" }),
        })
        {
            Assert.Equal(StatusCode.InvalidArgument, (await Assert.ThrowsAsync<RpcException>(call)).StatusCode);
        }
    }

    [Fact]
    public async Task Explain_APush_LeadsToItsEventsOnly_AndBack()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var mapping = await subject.MapAsync("tokens");
        await subject.CountAsync("tokens", "cus_1", "5");
        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "5");
        await subject.CountAsync("tokens", "cus_1", "3");
        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "8");
        var identifiers = subject.Double.ReadEvents().Select(one => one.Identifier).ToList();
        var explained = await subject.Explanations.ExplainPushAsync(new() { TenantId = PusherUnderTest.Tenant, Identifier = identifiers[1] });
        Assert.Equal((mapping.MeterId, "cus_1", "3"), (explained.Push.MeterId, explained.Push.StripeCustomer, explained.Push.Intent.Value));
        Assert.Equal([("tokens", "cus_1", 1L, 2L)], explained.Push.Counters.Select(counter => (counter.Metric, counter.CustomerRef, counter.BehindPosition, counter.Position)));
        foreach (var (tenant, identifier) in new[] { ("other", identifiers[0]), (PusherUnderTest.Tenant, "sm_none") })
        {
            var missing = await Assert.ThrowsAsync<RpcException>(async () => await subject.Explanations.ExplainPushAsync(new() { TenantId = tenant, Identifier = identifier }));
            Assert.Equal(StatusCode.NotFound, missing.StatusCode);
        }
    }

    private static Google.Protobuf.WellKnownTypes.Timestamp ThisMonth => PusherUnderTest.ThisMonth.Start.ToTimestamp();

    private static Google.Protobuf.WellKnownTypes.Timestamp NextMonth => PusherUnderTest.ThisMonth.End.ToTimestamp();

    private static async Task<ReconciliationRun> RunAsync(PusherUnderTest subject)
    {
        var run = (await subject.Reconciliation.RunReconciliationAsync(new() { TenantId = PusherUnderTest.Tenant, Full = true })).Run;
        await Patience.UntilAsync(async () =>
        {
            run = (await subject.Reconciliation.GetReconciliationRunAsync(new() { TenantId = PusherUnderTest.Tenant, RunId = run.Id })).Run;
            return run.State is RunState.Completed or RunState.Failed;
        });
        return run;
    }

    private static async Task<IReadOnlyList<ReconciliationReport>> ReportsAsync(PusherUnderTest subject, string tenant = PusherUnderTest.Tenant) =>
        (await subject.Reconciliation.ListReconciliationReportsAsync(new() { TenantId = tenant, StartTime = ThisMonth, EndTime = NextMonth })).Reports;

    private static async Task<string> FindingsAsync(PusherUnderTest subject, string reason) => Assert.Single(
        await subject.MetricAsync("reconciliation_findings_total"), line => line.Contains($"reason=\"{reason}\"", StringComparison.Ordinal));

    /// <summary>A ledger that holds a total for told, and a meter that has never seen it.</summary>
    private static async Task LoseAsync(PusherUnderTest subject, DeltaKey key, BillingPeriod period, Instant hour)
    {
        var meter = new MeterNames("calls", "stripe_customer_id", "value") { Sink = SinkKind.HourTotals };
        var lost = new StoredIntent
        {
            Identifier = "sm_lost", Number = 1, Meter = meter, Period = period, Value = Quantity.FromInteger(7), Total = Quantity.FromInteger(7),
            Minute = hour, Created = hour, FirstSent = hour, LastSent = hour, Attempts = 1, State = StoredState.Accepted, Closing = 1,
        };
        var delta = new PeriodDelta
        {
            Period = period, Accepted = lost.Value, Slots = [new ToldSlot(hour, lost.Value, 1, hour)],
            Contributions = [new Contribution("calls", "cus_1", lost.Value, new CounterVersion(0, 1), "log", hour)],
        };
        var document = new DeltaDocument { Key = key, Meter = meter, Minted = 1, Closings = 1 }.With(delta);
        Assert.True(await subject.Store.Deltas.SaveAsync(document, CancellationToken.None));
        await subject.Store.Deltas.AppendHistoryAsync(key, lost, CancellationToken.None);
    }

    /// <summary>Writes to a meter past the pusher.</summary>
    private static async Task WriteAsync(PusherUnderTest subject, string eventName, string customer, string value, Instant minute) =>
        await subject.Stripe.V1.Billing.MeterEvents.CreateAsync(new MeterEventCreateOptions
        {
            EventName = eventName, Payload = new() { ["stripe_customer_id"] = customer, ["value"] = value }, Timestamp = minute.ToUtc(),
        });
}
