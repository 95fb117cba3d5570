using StripeMeter.Ingest.Publishing;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Ingest.Controlling;

/// <summary>Tells the aggregator of control records as of events: the message is a hint, the log is the truth.</summary>
public sealed class ControlAnnouncer(AppendedPublisher publisher)
{
    public void Announce(TenantId tenant, AppendedControls? controls)
    {
        foreach (var (shard, records) in controls?.Appended ?? new Dictionary<int, IReadOnlyList<Countable>>())
            publisher.Offer(new ShardId(tenant, shard), records);
    }
}
