using System.ComponentModel.DataAnnotations;
using StripeMeter.Defaults.Configuration;

namespace StripeMeter.Aggregator.Auditing;

/// <summary>How much is audited, and what is done about what is found.</summary>
public sealed class AuditSettings
{
    /// <summary>Counters recounted a minute; 0 turns the auditor off.</summary>
    [Setting("AUDIT_COUNTERS_PER_MINUTE"), Range(0, 60_000)]
    public int CountersPerMinute { get; set; } = 30;

    /// <summary>Whether a counter that is not what the ledger says is counted anew.</summary>
    [Setting("AUDIT_REPAIR")]
    public bool Repair { get; set; }

    /// <summary>Records read at a time.</summary>
    public int PageRecords { get; } = 2_000;
}
