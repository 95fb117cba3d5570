using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Tenants;
using StripeMeter.V1;

namespace StripeMeter.Defaults.Wire;

/// <summary>Entries of the ledger as the API shows them.</summary>
public static class WireLedger
{
    /// <summary>An entry that holds an event.</summary>
    public static LedgerEvent ToWire(this LedgerEntry entry, TenantId tenant)
    {
        ArgumentNullException.ThrowIfNull(entry);
        var usage = entry.Record.Event ?? throw new ArgumentException("Only events are shown as such.", nameof(entry));
        return new LedgerEvent
        {
            Event = new UsageEvent
            {
                TenantId = tenant.Value,
                Metric = usage.Metric,
                CustomerRef = usage.Customer,
                ResourceId = usage.Resource,
                Quantity = usage.Quantity.ToString(),
                Timestamp = usage.Timestamp.ToTimestamp(),
                MetaJson = usage.Meta,
                IdempotencyKey = entry.Record.Key,
                Source = (EventSource)usage.Source,
            },
            ReceivedTime = entry.Record.Received.ToTimestamp(),
            Late = entry.Record.Late,
            Shard = entry.Shard,
            Position = entry.Position,
        };
    }
}
