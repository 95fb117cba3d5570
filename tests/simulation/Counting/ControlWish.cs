using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Simulation.Counting;

/// <summary>A control record somebody wants in the ledger of a tenant.</summary>
internal sealed record ControlWish(TenantId Tenant, ControlMaker Maker);

/// <summary>Appends what is wished for, as a service does it.</summary>
internal abstract record ControlMaker
{
    public abstract Task<AppendedControls> AppendAsync(TenantId tenant, ILedger ledger, Instant now);
}

/// <summary>A record that needs nothing to be looked up. It is made anew each time, but under the same key.</summary>
internal sealed record RecordControl(Func<Instant, LedgerRecord> Make) : ControlMaker
{
    private LedgerRecord? _made;

    public override Task<AppendedControls> AppendAsync(TenantId tenant, ILedger ledger, Instant now) =>
        new ControlAppender(ledger).AppendAsync([_made ??= Make(now)], CancellationToken.None);
}

/// <summary>The exclusion of a session.</summary>
internal sealed record SessionControl(string Session) : ControlMaker
{
    public override Task<AppendedControls> AppendAsync(TenantId tenant, ILedger ledger, Instant now) =>
        new ControlAppender(ledger).AppendToAllShardsAsync(
            shard => ControlRecords.SessionExcluded(Session, shard, "", now), CancellationToken.None);
}

/// <summary>A transition of a late event, if it stands in the ledger and is late.</summary>
internal sealed record LateEventControl(
    KeyedEvent Sent, Func<string, UsageEvent, string, Instant, LedgerRecord> Make) : ControlMaker
{
    public override async Task<AppendedControls> AppendAsync(TenantId tenant, ILedger ledger, Instant now)
    {
        var key = Sent.Key ?? DerivedKey.Of(tenant, Sent.Event);
        var found = await ledger.FindAsync([new RecordKey(KeySpace.Client, key)], CancellationToken.None).ConfigureAwait(false);
        return found.Values.SingleOrDefault() is { Record: { Late: true, Event: { } usage } }
            ? await new ControlAppender(ledger).AppendAsync([Make(key, usage, "", now)], CancellationToken.None).ConfigureAwait(false)
            : new AppendedControls([], new Dictionary<int, IReadOnlyList<Countable>>());
    }
}
