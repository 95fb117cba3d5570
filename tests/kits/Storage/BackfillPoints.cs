using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Backfilling;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Time;
using Xunit;

namespace StripeMeter.Kits.Storage;

/// <summary>
/// Backfills on an engine: what waits is unseen; committing and taking back happen once and whole, wherever a process dies.
/// </summary>
internal sealed class BackfillPoints(StoreUnderTest subject)
{
    private const int MaximumCalls = 200;
    private static readonly BackfillOptions Options = new() { PageEvents = 2, Parallelism = 1, TurnSteps = 2 };
    private static readonly BackfillScope Everything = new([], [], Instant.Minimum, Instant.Maximum);
    private readonly CancellationToken _cancellation = subject.Cancellation;

    public async Task Commit_WhatWaits_IsUnseenBeforeAndStandsOnceBehind()
    {
        var tenant = subject.Acme;
        var id = await OpenAsync(tenant);
        await StageAsync(tenant, id, Events("k", 5));

        Assert.Empty(await SessionEventsAsync(tenant, id));
        Assert.Equal(0, await LedgerEventsAsync(tenant));
        Assert.False((await BookOf(tenant).CommitAsync(id, 0, "", _cancellation)).Already);
        await SweepAsync();
        Assert.True((await BookOf(tenant).CommitAsync(id, 0, "", _cancellation)).Already);
        await SweepAsync();

        Assert.Equal(["k0", "k1", "k2", "k3", "k4"], (await SessionEventsAsync(tenant, id)).Select(entry => entry.Record.Key));
        Assert.All(await SessionEventsAsync(tenant, id), entry => Assert.False(entry.Record.Late));
        await AssertAtRestAsync(tenant, id, BackfillStatus.Completed, new BackfillTally(5, 0, 0, 0));
    }

    public async Task Stage_KeysThatRepeat_AreAnsweredAsTheLedgerWould()
    {
        var tenant = subject.Acme;
        var id = await OpenAsync(tenant);
        var (derived, other) = (new KeyedEvent(Sample.Usage(1), null), new KeyedEvent(Sample.Usage(2), null));
        await StageAsync(tenant, id, [new KeyedEvent(Sample.Usage(1), "k")]);

        var outcomes = await StageAsync(
            tenant, id,
            [new KeyedEvent(Sample.Usage(1), "k"), new KeyedEvent(Sample.Usage(2), "k"), derived, other, other, new KeyedEvent(Sample.Usage(1), "n"), new KeyedEvent(Sample.Usage(3), "n")]);

        Assert.Equal(
            [IngestStatus.Duplicate, IngestStatus.Conflict, IngestStatus.Accepted, IngestStatus.Accepted, IngestStatus.Duplicate, IngestStatus.Accepted, IngestStatus.Conflict],
            outcomes!.Select(outcome => outcome.Status));
        await CommitAsync(tenant, id);
        Assert.Equal(["1", "1", "1", "2"], (await SessionEventsAsync(tenant, id)).Select(entry => entry.Record.Event!.Quantity.ToString()).Order());
    }

    public async Task Stage_ARowAgain_IsTheSameRow()
    {
        var tenant = subject.Acme;
        var id = await OpenAsync(tenant);
        var events = Events("k", 2);
        await BookOf(tenant).StageAsync(id, events, [1, 2], _cancellation);

        var again = await BookOf(tenant).StageAsync(id, [.. events, events[0]], [1, 2, 3], _cancellation);

        Assert.Equal([IngestStatus.Accepted, IngestStatus.Accepted, IngestStatus.Duplicate], again!.Select(outcome => outcome.Status));
    }

    public async Task Stage_BehindADecision_IsRefused()
    {
        var tenant = subject.Acme;
        var id = await OpenAsync(tenant);
        await BookOf(tenant).CommitAsync(id, 0, "", _cancellation);

        Assert.Null(await StageAsync(tenant, id, Events("k", 1)));
        await SweepAsync();
        Assert.Null(await StageAsync(tenant, id, Events("k", 1)));
    }

    public async Task Commit_EventsOfTheLedger_AreToldFromNewOnes()
    {
        var tenant = subject.Acme;
        await AppendAsync(tenant, new KeyedEvent(Sample.Usage(1), "duplicate"), new KeyedEvent(Sample.Usage(2), "conflict"), new KeyedEvent(Sample.Usage(9), null));
        var id = await OpenAsync(tenant);
        await StageAsync(
            tenant, id,
            [new KeyedEvent(Sample.Usage(1), "duplicate"), new KeyedEvent(Sample.Usage(1), "conflict"), new KeyedEvent(Sample.Usage(1), "new"), new KeyedEvent(Sample.Usage(8), null)]);

        var preview = await new BackfillPreviewer(tenant).ReadAsync(id, null, 100, _cancellation);
        Assert.Equal(new BackfillTally(2, 1, 1, 0), preview.Tally);
        var change = Assert.Single(preview.Changes);
        Assert.Equal((Quantity.FromInteger(9), 2, Sample.Month(3)), (change.SumDelta, (int)change.CountDelta, change.Period));
        Assert.Null(preview.Next);
        await CommitAsync(tenant, id);

        await AssertAtRestAsync(tenant, id, BackfillStatus.Completed, new BackfillTally(2, 1, 1, 0));
        var problem = Assert.Single((await BookOf(tenant).ProblemsAsync(id, null, 10, _cancellation)).Notes);
        Assert.Equal(("conflict", "idempotency_key"), (problem.Key, problem.Field));
        var duplicate = Assert.Single((await BookOf(tenant).DuplicatesAsync(id, null, 10, _cancellation)).Notes);
        Assert.Equal(("duplicate", "", false), (duplicate.Key, duplicate.Session, duplicate.IsBuried));
        var standing = Assert.Single((await tenant.Ledger.FindAsync([new RecordKey(KeySpace.Client, "duplicate")], _cancellation)).Values);
        Assert.Equal((standing.Shard, standing.Position), (duplicate.Shard, duplicate.Position));
    }

    public async Task Commit_DuplicatesOfABackfillThatWasTakenBack_AreListedPageByPage()
    {
        var tenant = subject.Acme;
        var first = await OpenAsync(tenant);
        await StageAsync(tenant, first, Events("k", 3));
        await CommitAsync(tenant, first);
        await BookOf(tenant).RevertAsync(first, "me", "", "", _cancellation);
        await SweepAsync();
        var second = await OpenAsync(tenant);
        await BookOf(tenant).StageAsync(second, Events("k", 3), [3, 2, 1], _cancellation);
        await CommitAsync(tenant, second);

        var page = await BookOf(tenant).DuplicatesAsync(second, null, 2, _cancellation);
        var rest = await BookOf(tenant).DuplicatesAsync(second, page.Next, 2, _cancellation);

        Assert.Equal([(1, "k2"), (2, "k1"), (3, "k0")], page.Notes.Concat(rest.Notes).Select(duplicate => ((int)duplicate.Row, duplicate.Key)));
        Assert.All(page.Notes, duplicate => Assert.Equal((first, true), (duplicate.Session, duplicate.IsBuried)));
        Assert.Null(rest.Next);
    }

    public async Task Commit_AnEventThatComesBehindItsPage_IsInTheTallyOrNotInTheLedger()
    {
        var tenant = subject.Acme;
        var id = await OpenAsync(tenant);
        await StageAsync(tenant, id, Events("k", 3));
        await BookOf(tenant).CommitAsync(id, 0, "", _cancellation);
        await RunnerOf(tenant).RunAsync(NameOf(id, BackfillState.Committing), 1, _cancellation);

        // As of a process that found the backfill open and wrote only now.
        var staged = await tenant.Documents.ListAsync(new DocumentQuery(DocumentKind.StagedEvent) { Prefix = id }, _cancellation);
        StoredDocument[] late = [.. ((string[])["k00", "k1!", "k9"]).Select(
            key => new StoredDocument($"{id}/{key}", staged[0].Body.Replace("\"k0\"", $"\"{key}\"", StringComparison.Ordinal), 0))];
        await tenant.Documents.WriteAsync(DocumentKind.StagedEvent, late, _cancellation);
        await SweepAsync();

        Assert.Equal(["k0", "k1", "k1!", "k2", "k9"], (await SessionEventsAsync(tenant, id)).Select(entry => entry.Record.Key));
        await AssertAtRestAsync(tenant, id, BackfillStatus.Completed, new BackfillTally(5, 0, 0, 0));
    }

    public async Task Open_AnUploadThatBringsNothingAnyMore_Fails()
    {
        var tenant = subject.Acme;
        var id = (await BookOf(tenant).OpenAsync(Draft(BackfillKind.Import), _cancellation)).Id;
        await StageAsync(tenant, id, Events("k", 2));
        await SweepAsync(TimeSpan.FromMinutes(59));
        Assert.Equal(BackfillStatus.Pending, (await BookOf(tenant).FindAsync(id, _cancellation))!.Status);

        // What comes keeps it alive.
        await new BackfillBook(tenant, TimeProvider.System.Skewed(TimeSpan.FromMinutes(50))).StageAsync(id, Events("l", 1), [0], _cancellation);
        await SweepAsync(TimeSpan.FromMinutes(100));
        Assert.Equal(BackfillStatus.Pending, (await BookOf(tenant).FindAsync(id, _cancellation))!.Status);
        await SweepAsync(TimeSpan.FromMinutes(120));
        await SweepAsync(TimeSpan.FromMinutes(120));

        var failed = (await BookOf(tenant).FindAsync(id, _cancellation))!;
        Assert.Equal((BackfillStatus.Failed, "Its upload broke off: nothing came for 60 minutes."), (failed.Status, failed.Problem));
        Assert.Equal(0, await tenant.Documents.CountAsync(DocumentKind.StagedEvent, id, _cancellation));
        Assert.Equal(0, await tenant.Documents.CountAsync(DocumentKind.BackfillWork, id, _cancellation));
        Assert.Equal(0, await LedgerEventsAsync(tenant));
    }

    public async Task Decide_AProcessDiesBeforeTheDecision_ItsNameGoesAndTheNextDecisionHolds()
    {
        var tenant = subject.Acme;
        var id = await OpenAsync(tenant);
        await StageAsync(tenant, id, Events("k", 3));
        await Assert.ThrowsAsync<StoreUnavailableException>(async () =>
            await BookOf(new Fuse(4, lastIsCarriedOut: false).Guard(tenant)).CommitAsync(id, 0, "", _cancellation));
        Assert.Equal(1, await tenant.Documents.CountAsync(DocumentKind.BackfillWork, id, _cancellation));
        await SweepAsync(TimeSpan.FromMinutes(9));
        Assert.Equal(1, await tenant.Documents.CountAsync(DocumentKind.BackfillWork, id, _cancellation));

        await SweepAsync(TimeSpan.FromMinutes(11));
        await SweepAsync(TimeSpan.FromMinutes(11));

        Assert.Equal(0, await tenant.Documents.CountAsync(DocumentKind.BackfillWork, id, _cancellation));
        await CommitAsync(tenant, id);
        await AssertAtRestAsync(tenant, id, BackfillStatus.Completed, new BackfillTally(3, 0, 0, 0));
    }

    public async Task Open_TheSameRequestAgain_IsTheSameBackfillAndAnotherIsRefused()
    {
        var tenant = subject.Acme;
        var opener = new BackfillOpener(tenant, TimeProvider.System);
        var first = await opener.OpenAsync(Draft(BackfillKind.Session), "request", _cancellation);
        var again = await opener.OpenAsync(Draft(BackfillKind.Session) with { Actor = "another key" }, "request", _cancellation);
        var other = await opener.OpenAsync(Draft(BackfillKind.Session) with { Reason = "another" }, "request", _cancellation);

        Assert.Equal((false, true, first.Backfill!.Id), (first.Already, again.Already, again.Backfill!.Id));
        Assert.Null(other.Backfill);
        Assert.Equal(1, (await BookOf(tenant).ListAsync(null, null, 0, 10, _cancellation)).Total);
    }

    public async Task Open_AnUploadAgain_BeginsAnewUntilItIsCommitted()
    {
        var tenant = subject.Acme;
        var opener = new BackfillOpener(tenant, TimeProvider.System);
        var broken = (await opener.OpenAsync(Draft(BackfillKind.Import), "file", _cancellation)).Backfill!;
        await StageAsync(tenant, broken.Id, Events("broken", 2));

        var whole = await opener.OpenAsync(Draft(BackfillKind.Import), "file", _cancellation);
        await StageAsync(tenant, whole.Backfill!.Id, Events("k", 2));
        await BookOf(tenant).CommitAsync(whole.Backfill.Id, 2, "digest", _cancellation);
        var again = await opener.OpenAsync(Draft(BackfillKind.Import), "file", _cancellation);
        await SweepAsync();

        Assert.False(whole.Already);
        Assert.NotEqual(broken.Id, whole.Backfill.Id);
        Assert.Equal((true, whole.Backfill.Id, "digest"), (again.Already, again.Backfill!.Id, again.Backfill.ContentDigest));
        Assert.Equal(BackfillStatus.Failed, (await BookOf(tenant).FindAsync(broken.Id, _cancellation))!.Status);
        Assert.Empty(await SessionEventsAsync(tenant, broken.Id));
        await AssertAtRestAsync(tenant, whole.Backfill.Id, BackfillStatus.Completed, new BackfillTally(2, 0, 0, 0));
    }

    public async Task Open_ProcessDiesAtAnyCall_TheRequestIsCompletedOnce() => await DieAtEveryCallAsync(async (tenant, guarded) =>
        {
            try
            {
                await new BackfillOpener(guarded, TimeProvider.System).OpenAsync(Draft(BackfillKind.Import), "file", _cancellation);
            }
            finally
            {
                var opened = (await new BackfillOpener(tenant, TimeProvider.System).OpenAsync(Draft(BackfillKind.Import), "file", _cancellation)).Backfill!;
                await StageAsync(tenant, opened.Id, Events("k", 2));
                await BookOf(tenant).CommitAsync(opened.Id, 0, "", _cancellation);
                await SweepAsync();
                await AssertAtRestAsync(tenant, opened.Id, BackfillStatus.Completed, new BackfillTally(2, 0, 0, 0));
            }
        });

    public async Task Commit_OfADryRun_AppendsNothing()
    {
        var tenant = subject.Acme;
        await AppendAsync(tenant, Events("k", 1)[0]);
        var id = await OpenAsync(tenant, dryRun: true);
        await StageAsync(tenant, id, Events("k", 3));

        await CommitAsync(tenant, id);

        Assert.Equal(1, await LedgerEventsAsync(tenant));
        await AssertAtRestAsync(tenant, id, BackfillStatus.Completed, new BackfillTally(2, 1, 0, 0));
        Assert.NotNull((await BookOf(tenant).RevertAsync(id, "", "", "", _cancellation)).Refusal);
    }

    public async Task Revert_BeforeTheCommit_LeavesTheLedgerAlone()
    {
        var tenant = subject.Acme;
        var id = await OpenAsync(tenant);
        await StageAsync(tenant, id, Events("k", 3));

        await BookOf(tenant).RevertAsync(id, "me", "wrong file", "", _cancellation);
        await SweepAsync();

        await AssertAtRestAsync(tenant, id, BackfillStatus.Cancelled, default);
        Assert.Equal(0, await LedgerEventsAsync(tenant));
        Assert.Empty(await ExclusionsAsync(tenant, id));
        Assert.NotNull((await BookOf(tenant).CommitAsync(id, 0, "", _cancellation)).Refusal);
    }

    public async Task Revert_BehindTheCommit_ExcludesInEveryShardAndKeepsTheKeys()
    {
        var tenant = subject.Acme;
        var id = await OpenAsync(tenant);
        await StageAsync(tenant, id, Events("k", 3));
        await CommitAsync(tenant, id);

        await BookOf(tenant).RevertAsync(id, "me", "", "", _cancellation);
        await SweepAsync();

        Assert.Equal(StoreUnderTest.ShardCount, (await ExclusionsAsync(tenant, id)).Count);
        Assert.Equal(BackfillStatus.Reverted, (await BookOf(tenant).FindAsync(id, _cancellation))!.Status);
        var again = await OpenAsync(tenant);
        await StageAsync(tenant, again, Events("k", 4));
        await CommitAsync(tenant, again);
        await AssertAtRestAsync(tenant, again, BackfillStatus.Completed, new BackfillTally(1, 3, 0, 3));
    }

    public async Task List_ByStatus_TellsAllThatMatch()
    {
        var tenant = subject.Acme;
        string[] ids = ["a", "b", "c", "d", "e"];
        foreach (var id in ids)
            await OpenAsync(tenant, id: id);
        await BookOf(tenant).RevertAsync(ids[1], "", "", "the file ends early", _cancellation);
        await SweepAsync();

        var open = await BookOf(tenant).ListAsync(BackfillStatus.Open, null, 1, 2, _cancellation);
        Assert.Equal(["d", "c"], open.Backfills.Select(backfill => backfill.Id));
        Assert.Equal((4, "c"), (open.Total, open.Next));
        var next = await BookOf(tenant).ListAsync(BackfillStatus.Open, open.Next, 0, 2, _cancellation);
        Assert.Equal(["a"], next.Backfills.Select(backfill => backfill.Id));
        Assert.Equal((4, null), (next.Total, next.Next));
        Assert.Equal("b", Assert.Single((await BookOf(tenant).ListAsync(BackfillStatus.Failed, null, 0, 9, _cancellation)).Backfills).Id);
        Assert.Equal(5, (await BookOf(tenant).ListAsync(null, null, 0, 1, _cancellation)).Total);
        Assert.Equal(0, (await BookOf(subject.Of("other")).ListAsync(null, null, 0, 1, _cancellation)).Total);
    }

    public async Task Commit_ProcessDiesAtAnyCall_IsResumedToTheSameEnd() =>
        await DieEverywhereAsync(async (tenant, id, guarded) =>
        {
            await BookOf(guarded).CommitAsync(id, 0, "", _cancellation);
            await RunnerOf(guarded).RunAsync(NameOf(id, BackfillState.Committing), int.MaxValue, _cancellation);
        },
        async (tenant, id) =>
        {
            await BookOf(tenant).CommitAsync(id, 0, "", _cancellation);
            await SweepAsync();
            Assert.Equal(["k0", "k1", "k2", "k3", "k4"], (await SessionEventsAsync(tenant, id)).Select(entry => entry.Record.Key));
            await AssertAtRestAsync(tenant, id, BackfillStatus.Completed, new BackfillTally(5, 1, 0, 0));
        });

    public async Task Revert_ProcessDiesAtAnyCallOfCommitAndRevert_LeavesNothingThatCounts() =>
        await DieEverywhereAsync(async (tenant, id, guarded) =>
        {
            await BookOf(guarded).CommitAsync(id, 0, "", _cancellation);
            await RunnerOf(guarded).RunAsync(NameOf(id, BackfillState.Committing), int.MaxValue, _cancellation);
            await BookOf(guarded).RevertAsync(id, "me", "", "", _cancellation);
            await RunnerOf(guarded).RunAsync(NameOf(id, BackfillState.Reverting), int.MaxValue, _cancellation);
        },
        async (tenant, id) =>
        {
            await BookOf(tenant).RevertAsync(id, "me", "", "", _cancellation);
            await SweepAsync();
            var appended = await SessionEventsAsync(tenant, id);
            Assert.True(appended.Count == 0 || (await ExclusionsAsync(tenant, id)).Count == StoreUnderTest.ShardCount, "Some of it counts.");
            var status = (await BookOf(tenant).FindAsync(id, _cancellation))!.Status;
            Assert.True(status is BackfillStatus.Cancelled or BackfillStatus.Reverted, $"It is {status}.");
            await AssertClearedAsync(tenant, id);
        });

    /// <summary>Runs something again and again, on a tenant of its own each time, with a process that dies one call later.</summary>
    private async Task DieAtEveryCallAsync(Func<ITenantStore, ITenantStore, Task> run)
    {
        foreach (var lastIsCarriedOut in (bool[])[false, true])
        {
            var hasBlown = true;
            for (var calls = 0; hasBlown; calls++)
            {
                Assert.True(calls < MaximumCalls, "It does not come to an end.");
                var tenant = subject.Of(FormattableString.Invariant($"opens-{calls}-{lastIsCarriedOut}"));
                var fuse = new Fuse(calls, lastIsCarriedOut);
                try
                {
                    await run(tenant, fuse.Guard(tenant));
                }
                catch (StoreUnavailableException)
                {
                    Assert.True(fuse.HasBlown);
                }

                hasBlown = fuse.HasBlown;
            }
        }
    }

    /// <summary>Runs a protocol again and again, on a tenant of its own each time, with a process that dies one call later.</summary>
    private async Task DieEverywhereAsync(
        Func<ITenantStore, string, ITenantStore, Task> protocol, Func<ITenantStore, string, Task> resume)
    {
        foreach (var lastIsCarriedOut in (bool[])[false, true])
        {
            for (var calls = 0; ; calls++)
            {
                Assert.True(calls < MaximumCalls, "It does not come to an end.");
                var tenant = subject.Of(FormattableString.Invariant($"dies-{calls}-{lastIsCarriedOut}"));
                await AppendAsync(tenant, new KeyedEvent(Sample.Usage(100), "live"));
                var id = await OpenAsync(tenant);
                await StageAsync(tenant, id, [.. Events("k", 5), new KeyedEvent(Sample.Usage(100), "live")]);
                var fuse = new Fuse(calls, lastIsCarriedOut);
                try
                {
                    await protocol(tenant, id, fuse.Guard(tenant));
                }
                catch (StoreUnavailableException)
                {
                    Assert.True(fuse.HasBlown);
                }

                await resume(tenant, id);
                if (!fuse.HasBlown)
                    break;
            }
        }
    }

    private static KeyedEvent[] Events(string prefix, int count) =>
        [.. Enumerable.Range(0, count).Select(number => new KeyedEvent(
            Sample.Usage(number + 1) with { Customer = FormattableString.Invariant($"cus_{number}") }, FormattableString.Invariant($"{prefix}{number}")))];

    private static BackfillBook BookOf(ITenantStore tenant) => new(tenant, TimeProvider.System);

    private static BackfillRunner RunnerOf(ITenantStore tenant) => new(tenant, TimeProvider.System, Options, (_, _) => { });

    private async Task<string> OpenAsync(ITenantStore tenant, bool dryRun = false, string? id = null)
    {
        var draft = Draft(BackfillKind.Session) with { DryRun = dryRun };
        return (await BookOf(tenant).OpenAsync(id is null ? draft : draft with { Id = id }, _cancellation)).Id;
    }

    private static Backfill Draft(BackfillKind kind) =>
        new() { Id = Guid.CreateVersion7().ToString(), Kind = kind, Scope = Everything, Reason = "a test" };

    private static string NameOf(string id, BackfillState decided) => $"{id}/{(int)decided}";

    private Task<IReadOnlyList<EventOutcome>?> StageAsync(ITenantStore tenant, string id, KeyedEvent[] events) =>
        BookOf(tenant).StageAsync(id, events, new long[events.Length], _cancellation);

    private async Task CommitAsync(ITenantStore tenant, string id)
    {
        await BookOf(tenant).CommitAsync(id, 0, "", _cancellation);
        await SweepAsync();
    }

    private async Task SweepAsync(TimeSpan later = default)
    {
        var sweep = new BackfillSweep(subject.Store, TimeProvider.System.Skewed(later), Options, (_, _) => { });
        while (await sweep.SweepAsync(_cancellation))
        {
        }
    }

    private async Task AppendAsync(ITenantStore tenant, params KeyedEvent[] events) =>
        await new Appender(tenant.Tenant, tenant.Ledger, (_, _) => null, TimeProvider.System).AppendAsync(events, _cancellation);

    private async Task<IReadOnlyList<LedgerEntry>> SessionEventsAsync(ITenantStore tenant, string id)
    {
        var found = await tenant.Ledger.QueryAsync(new EventQuery { Session = id }, _cancellation);
        return [.. found.OrderBy(entry => entry.Record.Key, StringComparer.Ordinal)];
    }

    private Task<long> LedgerEventsAsync(ITenantStore tenant) => tenant.Ledger.CountAsync(new EventQuery(), _cancellation);

    private Task<IReadOnlyDictionary<RecordKey, LedgerEntry>> ExclusionsAsync(ITenantStore tenant, string id) => tenant.Ledger.FindAsync(
        [.. Enumerable.Range(0, StoreUnderTest.ShardCount).Select(shard => new RecordKey(KeySpace.Control, ControlRecords.ExclusionKey(id, shard)))],
        _cancellation);

    private async Task AssertAtRestAsync(ITenantStore tenant, string id, BackfillStatus status, BackfillTally tally)
    {
        var backfill = await BookOf(tenant).FindAsync(id, _cancellation);
        Assert.Equal((status, tally), (backfill!.Status, backfill.Tally));
        Assert.NotNull(backfill.Ended);
        await AssertClearedAsync(tenant, id);
    }

    private async Task AssertClearedAsync(ITenantStore tenant, string id)
    {
        Assert.Equal(0, await tenant.Documents.CountAsync(DocumentKind.StagedEvent, id, _cancellation));
        Assert.Equal(0, await tenant.Documents.CountAsync(DocumentKind.BackfillWork, NameOf(id, BackfillState.Committing), _cancellation));
    }
}
