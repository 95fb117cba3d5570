using StripeMeter.Metering.Backfilling;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Replaying;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Simulation.Counting;

/// <summary>What somebody wants to be done with a tenant.</summary>
internal sealed record ControlWish(TenantId Tenant, ControlMaker Maker);

/// <summary>Appends what is wished for, as a service does it: piece by piece.</summary>
internal abstract record ControlMaker
{
    public abstract IAsyncEnumerable<AppendedControls> AppendAsync(ITenantStore tenant, TimeProvider clock);
}

/// <summary>A record that needs nothing to be looked up. It is made anew each time, but under the same key.</summary>
internal sealed record RecordControl(Func<Instant, LedgerRecord> Make) : ControlMaker
{
    private LedgerRecord? _made;

    public override async IAsyncEnumerable<AppendedControls> AppendAsync(ITenantStore tenant, TimeProvider clock)
    {
        _made ??= Make(Instant.Of(clock.GetUtcNow()));
        yield return await new ControlAppender(tenant.Ledger).AppendAsync([_made], CancellationToken.None).ConfigureAwait(false);
    }
}

/// <summary>The exclusion of a session.</summary>
internal sealed record SessionControl(string Session) : ControlMaker
{
    public override async IAsyncEnumerable<AppendedControls> AppendAsync(ITenantStore tenant, TimeProvider clock)
    {
        var now = Instant.Of(clock.GetUtcNow());
        yield return await new ControlAppender(tenant.Ledger).AppendToAllShardsAsync(
            shard => ControlRecords.SessionExcluded(Session, shard, "", now), CancellationToken.None).ConfigureAwait(false);
    }
}

/// <summary>A transition of a late event, if it stands in the ledger and is late.</summary>
internal sealed record LateEventControl(
    KeyedEvent Sent, Func<string, UsageEvent, string, Instant, LedgerRecord> Make) : ControlMaker
{
    public override async IAsyncEnumerable<AppendedControls> AppendAsync(ITenantStore tenant, TimeProvider clock)
    {
        var key = Sent.Key ?? DerivedKey.Of(tenant.Tenant, Sent.Event);
        var found = await tenant.Ledger.FindAsync([new RecordKey(KeySpace.Client, key)], CancellationToken.None).ConfigureAwait(false);
        if (found.Values.SingleOrDefault() is not { Record: { Late: true, Event: { } usage } })
            yield break;
        yield return await new ControlAppender(tenant.Ledger).AppendAsync(
            [Make(key, usage, "", Instant.Of(clock.GetUtcNow()))], CancellationToken.None).ConfigureAwait(false);
    }
}

/// <summary>A replay: every late event that nobody has settled is approved.</summary>
internal sealed record ReplayControl(int PageEvents) : ControlMaker
{
    private static readonly ReplayRange All = new([], Instant.Minimum, Instant.Maximum);

    public override async IAsyncEnumerable<AppendedControls> AppendAsync(ITenantStore tenant, TimeProvider clock)
    {
        EventCursor? after = null;
        do
        {
            var replayer = new Replayer(tenant.Ledger, clock);
            var page = await replayer.ReadAsync(All, after, PageEvents, CancellationToken.None).ConfigureAwait(false);
            page = await replayer.ApproveAsync(page, "", CancellationToken.None).ConfigureAwait(false);
            yield return page.Appended!;
            after = page.Next;
        }
        while (after is not null);
    }
}

/// <summary>A rebuild: every counter of one customer, or of all, is counted anew.</summary>
internal sealed record RebuildControl(string Id, string? Customer, int PageCounters) : ControlMaker
{
    public override async IAsyncEnumerable<AppendedControls> AppendAsync(ITenantStore tenant, TimeProvider clock)
    {
        RebuildCursor? after = null;
        do
        {
            var page = await new Rebuilder(tenant.Ledger, clock).RepairAsync(Id, Customer, after, PageCounters, "", CancellationToken.None)
                .ConfigureAwait(false);
            yield return page.Appended;
            after = page.Next;
        }
        while (after is not null);
    }
}

/// <summary>A backfill is opened, filled and committed. What it appends then is the work of sweeps.</summary>
internal sealed record BackfillControl(string Id, IReadOnlyList<KeyedEvent> Events, bool DryRun) : ControlMaker
{
    private static readonly BackfillScope Everything = new([], [], Instant.Minimum, Instant.Maximum);

    public override async IAsyncEnumerable<AppendedControls> AppendAsync(ITenantStore tenant, TimeProvider clock)
    {
        var book = new BackfillBook(tenant, clock);
        if (await book.FindAsync(Id, CancellationToken.None).ConfigureAwait(false) is null)
        {
            await book.OpenAsync(
                new Backfill { Id = Id, Kind = BackfillKind.Session, Scope = Everything, DryRun = DryRun }, CancellationToken.None)
                .ConfigureAwait(false);
        }

        if (await book.StageAsync(Id, Events, new long[Events.Count], CancellationToken.None).ConfigureAwait(false) is not null)
            await book.CommitAsync(Id, rows: 0, "", CancellationToken.None).ConfigureAwait(false);
        yield break;
    }
}

/// <summary>A backfill is given up or taken back, if there is one.</summary>
internal sealed record BackfillRevertControl(string Id) : ControlMaker
{
    public override async IAsyncEnumerable<AppendedControls> AppendAsync(ITenantStore tenant, TimeProvider clock)
    {
        var book = new BackfillBook(tenant, clock);
        if (await book.FindAsync(Id, CancellationToken.None).ConfigureAwait(false) is not null)
            await book.RevertAsync(Id, "", "", problem: "", CancellationToken.None).ConfigureAwait(false);
        yield break;
    }
}
