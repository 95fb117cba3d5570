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
        Assert.False((await BookOf(tenant).CommitAsync(id, 0, _cancellation)).Already);
        await SweepAsync();
        Assert.True((await BookOf(tenant).CommitAsync(id, 0, _cancellation)).Already);
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
        await BookOf(tenant).CommitAsync(id, 0, _cancellation);

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
        var problem = Assert.Single((await BookOf(tenant).ProblemsAsync(id, null, 10, _cancellation)).Problems);
        Assert.Equal(("conflict", "idempotency_key"), (problem.Key, problem.Field));
    }

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
        Assert.NotNull((await BookOf(tenant).CommitAsync(id, 0, _cancellation)).Refusal);
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

        var open = await BookOf(tenant).ListAsync(BackfillStatus.Open, 1, 2, _cancellation);
        Assert.Equal(["d", "c"], open.Backfills.Select(backfill => backfill.Id));
        Assert.Equal(4, open.Total);
        Assert.Equal("b", Assert.Single((await BookOf(tenant).ListAsync(BackfillStatus.Failed, 0, 9, _cancellation)).Backfills).Id);
        Assert.Equal(5, (await BookOf(tenant).ListAsync(null, 0, 1, _cancellation)).Total);
        Assert.Equal(0, (await BookOf(subject.Of("other")).ListAsync(null, 0, 1, _cancellation)).Total);
    }

    public async Task Commit_ProcessDiesAtAnyCall_IsResumedToTheSameEnd() =>
        await DieEverywhereAsync(async (tenant, id, guarded) =>
        {
            await BookOf(guarded).CommitAsync(id, 0, _cancellation);
            await RunnerOf(guarded).RunAsync($"{id}/{(int)BackfillState.Committing}", int.MaxValue, _cancellation);
        },
        async (tenant, id) =>
        {
            await BookOf(tenant).CommitAsync(id, 0, _cancellation);
            await SweepAsync();
            Assert.Equal(["k0", "k1", "k2", "k3", "k4"], (await SessionEventsAsync(tenant, id)).Select(entry => entry.Record.Key));
            await AssertAtRestAsync(tenant, id, BackfillStatus.Completed, new BackfillTally(5, 1, 0, 0));
        });

    public async Task Revert_ProcessDiesAtAnyCallOfCommitAndRevert_LeavesNothingThatCounts() =>
        await DieEverywhereAsync(async (tenant, id, guarded) =>
        {
            await BookOf(guarded).CommitAsync(id, 0, _cancellation);
            await RunnerOf(guarded).RunAsync($"{id}/{(int)BackfillState.Committing}", int.MaxValue, _cancellation);
            await BookOf(guarded).RevertAsync(id, "me", "", "", _cancellation);
            await RunnerOf(guarded).RunAsync($"{id}/{(int)BackfillState.Reverting}", int.MaxValue, _cancellation);
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
        var draft = new Backfill
        {
            Id = id ?? Guid.CreateVersion7().ToString(), Kind = BackfillKind.Session, Scope = Everything, Reason = "a test", DryRun = dryRun,
        };
        return (await BookOf(tenant).OpenAsync(draft, _cancellation)).Id;
    }

    private Task<IReadOnlyList<EventOutcome>?> StageAsync(ITenantStore tenant, string id, KeyedEvent[] events) =>
        BookOf(tenant).StageAsync(id, events, new long[events.Length], _cancellation);

    private async Task CommitAsync(ITenantStore tenant, string id)
    {
        await BookOf(tenant).CommitAsync(id, 0, _cancellation);
        await SweepAsync();
    }

    private async Task SweepAsync()
    {
        var sweep = new BackfillSweep(subject.Store, TimeProvider.System, Options, (_, _) => { });
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
        Assert.Equal(0, await tenant.Documents.CountAsync(DocumentKind.BackfillWork, $"{id}/{(int)BackfillState.Committing}", _cancellation));
    }
}
