using StripeMeter.Metering.Backfilling;
using StripeMeter.Metering.Ledger;

namespace StripeMeter.Kits.Reference;

/// <summary>Holds a backfill that has come to rest against the ledger of its tenant.</summary>
public static class BackfillCheck
{
    /// <summary>
    /// What is wrong; null if nothing is. Before its commit nothing of it stands, behind it all that it says, and once it is
    /// taken back, what stands is excluded in every shard.
    /// </summary>
    public static string? Of(Backfill backfill, int shards, IEnumerable<LedgerEntry> ledger)
    {
        ArgumentNullException.ThrowIfNull(backfill);
        var records = ledger.Select(entry => entry.Record).ToArray();
        var standing = records.Count(record => record.Kind == RecordKind.Event && record.Session == backfill.Id);
        var excluded = records.Count(record => record.Kind == RecordKind.SessionExcluded && record.Control!.Subject == backfill.Id);
        var isRight = backfill.State switch
        {
            BackfillState.Open => standing == 0 && excluded == 0,
            BackfillState.Committed => excluded == 0 && (backfill.DryRun ? standing == 0 : standing == backfill.Tally.Accepted),
            BackfillState.Reverted => standing == 0 || excluded == shards,
            _ => false,
        };
        return isRight ? null : $"{backfill} has {standing} events and {excluded} exclusions.";
    }
}
