using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Replaying;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Simulation.Counting;

/// <summary>Control records somebody wants in the ledger of a tenant.</summary>
internal sealed record ControlWish(TenantId Tenant, ControlMaker Maker);

/// <summary>Appends what is wished for, as a service does it: piece by piece.</summary>
internal abstract record ControlMaker
{
    public abstract IAsyncEnumerable<AppendedControls> AppendAsync(TenantId tenant, ILedger ledger, TimeProvider clock);
}

/// <summary>A record that needs nothing to be looked up. It is made anew each time, but under the same key.</summary>
internal sealed record RecordControl(Func<Instant, LedgerRecord> Make) : ControlMaker
{
    private LedgerRecord? _made;

    public override async IAsyncEnumerable<AppendedControls> AppendAsync(TenantId tenant, ILedger ledger, TimeProvider clock)
    {
        _made ??= Make(Instant.Of(clock.GetUtcNow()));
        yield return await new ControlAppender(ledger).AppendAsync([_made], CancellationToken.None).ConfigureAwait(false);
    }
}

/// <summary>The exclusion of a session.</summary>
internal sealed record SessionControl(string Session) : ControlMaker
{
    public override async IAsyncEnumerable<AppendedControls> AppendAsync(TenantId tenant, ILedger ledger, TimeProvider clock)
    {
        var now = Instant.Of(clock.GetUtcNow());
        yield return await new ControlAppender(ledger).AppendToAllShardsAsync(
            shard => ControlRecords.SessionExcluded(Session, shard, "", now), CancellationToken.None).ConfigureAwait(false);
    }
}

/// <summary>A transition of a late event, if it stands in the ledger and is late.</summary>
internal sealed record LateEventControl(
    KeyedEvent Sent, Func<string, UsageEvent, string, Instant, LedgerRecord> Make) : ControlMaker
{
    public override async IAsyncEnumerable<AppendedControls> AppendAsync(TenantId tenant, ILedger ledger, TimeProvider clock)
    {
        var key = Sent.Key ?? DerivedKey.Of(tenant, Sent.Event);
        var found = await ledger.FindAsync([new RecordKey(KeySpace.Client, key)], CancellationToken.None).ConfigureAwait(false);
        if (found.Values.SingleOrDefault() is not { Record: { Late: true, Event: { } usage } })
            yield break;
        yield return await new ControlAppender(ledger).AppendAsync(
            [Make(key, usage, "", Instant.Of(clock.GetUtcNow()))], CancellationToken.None).ConfigureAwait(false);
    }
}

/// <summary>A replay: every late event that nobody has settled is approved.</summary>
internal sealed record ReplayControl(int PageEvents) : ControlMaker
{
    private static readonly ReplayRange All = new([], Instant.Minimum, Instant.Maximum);

    public override async IAsyncEnumerable<AppendedControls> AppendAsync(TenantId tenant, ILedger ledger, TimeProvider clock)
    {
        EventCursor? after = null;
        do
        {
            var page = await new Replayer(ledger, clock).ReadAsync(All, after, PageEvents, "", CancellationToken.None).ConfigureAwait(false);
            yield return page.Appended!;
            after = page.Next;
        }
        while (after is not null);
    }
}

/// <summary>A rebuild: every counter of one customer, or of all, is counted anew.</summary>
internal sealed record RebuildControl(string Id, string? Customer, int PageCounters) : ControlMaker
{
    public override async IAsyncEnumerable<AppendedControls> AppendAsync(TenantId tenant, ILedger ledger, TimeProvider clock)
    {
        RebuildCursor? after = null;
        do
        {
            var page = await new Rebuilder(ledger, clock).RepairAsync(Id, Customer, after, PageCounters, "", CancellationToken.None)
                .ConfigureAwait(false);
            yield return page.Appended;
            after = page.Next;
        }
        while (after is not null);
    }
}
