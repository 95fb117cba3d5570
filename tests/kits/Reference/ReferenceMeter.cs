using System.Numerics;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Kits.Reference;

/// <summary>A record as it stands in the log of a tenant.</summary>
public readonly record struct LoggedRecord(TenantId Tenant, int Shard, long Position, LedgerRecord Record);

/// <summary>Names a counter: the period by its first moment in UTC.</summary>
public readonly record struct ReferenceKey(TenantId Tenant, string Metric, string Customer, DateTime Month);

/// <summary>What a counter must hold, in units of 10⁻¹², and the position of the last record in it.</summary>
public sealed record ReferenceCounter(
    BigInteger Sum, long Count, BigInteger Min, BigInteger Max, BigInteger Last, DateTime Watermark, string LastKey, long Position);

/// <summary>
/// The only oracle: folds a whole log at once, in arithmetic that cannot overflow and with months of its own. It shares
/// nothing with the code under test but the form of a record.
/// </summary>
public static class ReferenceMeter
{
    public static Dictionary<ReferenceKey, ReferenceCounter> Count(IEnumerable<LoggedRecord> log) => log
        .Where(logged => logged.Record.Event is not null)
        .OrderBy(logged => logged.Shard).ThenBy(logged => logged.Position)
        .DistinctBy(logged => (logged.Tenant, logged.Record.Space, logged.Record.Key))
        .Where(logged => !logged.Record.Late)
        .GroupBy(KeyOf)
        .ToDictionary(counter => counter.Key, counter => Fold([.. counter]));

    /// <summary>Whether a counter holds the same bits.</summary>
    public static bool Agrees(ReferenceCounter expected, Counter counter)
    {
        var actual = counter.Aggregates;
        return expected == new ReferenceCounter(
            (BigInteger)actual.Sum.Units, actual.Count, (BigInteger)actual.Min.Units, (BigInteger)actual.Max.Units,
            (BigInteger)actual.Last.Units, actual.LastTimestamp.ToUtc(), actual.LastKey, counter.Version.Position);
    }

    private static ReferenceKey KeyOf(LoggedRecord logged)
    {
        var usage = logged.Record.Event!;
        var moment = MomentOf(logged);
        var month = new DateTime(moment.Year, moment.Month, 1, 0, 0, 0, DateTimeKind.Utc);
        return new ReferenceKey(logged.Tenant, usage.Metric, usage.Customer, month);
    }

    private static ReferenceCounter Fold(LoggedRecord[] records)
    {
        var quantities = Array.ConvertAll(records, logged => (BigInteger)logged.Record.Event!.Quantity.Units);
        var newest = records.OrderBy(MomentOf).ThenBy(logged => logged.Record.Key, StringComparer.Ordinal).Last();
        return new ReferenceCounter(
            quantities.Aggregate(BigInteger.Add), records.Length, quantities.Min(), quantities.Max(),
            (BigInteger)newest.Record.Event!.Quantity.Units, MomentOf(newest), newest.Record.Key,
            records.Max(logged => logged.Position));
    }

    private static DateTime MomentOf(LoggedRecord logged) =>
        DateTime.UnixEpoch.AddTicks(logged.Record.Event!.Timestamp.Ticks);
}
