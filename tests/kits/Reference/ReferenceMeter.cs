using System.Numerics;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Kits.Reference;

/// <summary>A record as it stands in the log of a tenant.</summary>
public readonly record struct LoggedRecord(TenantId Tenant, int Shard, long Position, LedgerRecord Record);

/// <summary>Names a counter: the period by its first moment in UTC.</summary>
public readonly record struct ReferenceKey(TenantId Tenant, string Metric, string Customer, DateTime Start);

/// <summary>What a counter must hold, in units of 10⁻¹², and the position of the last record in it.</summary>
public sealed record ReferenceCounter(
    DateTime End, BigInteger Sum, long Count, BigInteger Min, BigInteger Max, BigInteger Last, DateTime Watermark, string LastKey,
    long Position);

/// <summary>
/// The only oracle: takes a whole log at once, drops what anything in it takes back, and adds up the rest, in arithmetic
/// that cannot overflow and with months of its own. It shares nothing with the code under test but the form of a record.
/// </summary>
public static class ReferenceMeter
{
    public static Dictionary<ReferenceKey, ReferenceCounter> Count(IEnumerable<LoggedRecord> log)
    {
        var records = log.OrderBy(logged => logged.Shard).ThenBy(logged => logged.Position)
            .DistinctBy(logged => (logged.Tenant, logged.Record.Space, logged.Record.Key)).ToArray();
        var excluded = SubjectsOf(RecordKind.SessionExcluded).Select(exclusion => (exclusion.Tenant, exclusion.Shard, exclusion.Subject)).ToHashSet();
        var adjustments = SubjectsOf(RecordKind.AdjustmentReverted).Select(revert => (revert.Tenant, revert.Subject)).ToHashSet();
        var lateEvents = SubjectsOf(RecordKind.LateEventReverted).Select(revert => (revert.Tenant, revert.Subject)).ToHashSet();
        return records.Where(Counts).GroupBy(logged => (logged.Tenant, logged.Record.Customer)).SelectMany(customer =>
        {
            var periods = new ReferencePeriods(records.Where(
                logged => (logged.Tenant, logged.Record.Customer) == customer.Key));
            return customer.GroupBy(logged => (logged.Record.Metric, Period: periods.Of(MomentOf(logged)))).Select(counter =>
                (Key: new ReferenceKey(customer.Key.Tenant, counter.Key.Metric, customer.Key.Customer, counter.Key.Period.Start),
                 Counter: Fold(counter.Key.Period.End, [.. counter])));
        }).ToDictionary(counter => counter.Key, counter => counter.Counter);

        IEnumerable<(TenantId Tenant, int Shard, string Subject)> SubjectsOf(RecordKind kind) => records
            .Where(logged => logged.Record.Kind == kind).Select(logged => (logged.Tenant, logged.Shard, logged.Record.Control!.Subject));

        bool Counts(LoggedRecord logged) => logged.Record.Kind switch
        {
            RecordKind.Event => !logged.Record.Late && !excluded.Contains((logged.Tenant, logged.Shard, logged.Record.Session)),
            RecordKind.AdjustmentApproved => !adjustments.Contains((logged.Tenant, logged.Record.Control!.Subject)),
            RecordKind.LateEventApproved => !lateEvents.Contains((logged.Tenant, logged.Record.Control!.Subject)),
            _ => false,
        };
    }

    /// <summary>Whether a counter holds the same bits. One that was counted anew has looked at more than it holds.</summary>
    public static bool Agrees(ReferenceCounter expected, Counter counter)
    {
        var (actual, position) = (counter.Aggregates, counter.Version.Position);
        if (counter.Version.RecutPosition > 0 && position > expected.Position)
            position = expected.Position;
        return expected == new ReferenceCounter(
            counter.Period.End.ToUtc(), (BigInteger)actual.Sum.Units, actual.Count, (BigInteger)actual.Min.Units,
            (BigInteger)actual.Max.Units, (BigInteger)actual.Last.Units, actual.LastTimestamp.ToUtc(), actual.LastKey, position);
    }

    private static ReferenceCounter Fold(DateTime end, LoggedRecord[] records)
    {
        var sum = records.Aggregate(BigInteger.Zero, (total, logged) => total + QuantityOf(logged));
        // A manual adjustment changes the sum and nothing else.
        var events = records.Where(logged => logged.Record.Kind != RecordKind.AdjustmentApproved)
            .OrderBy(MomentOf).ThenBy(EventKeyOf, StringComparer.Ordinal).ToArray();
        var position = records.Max(logged => logged.Position);
        return events.Length == 0
            ? new ReferenceCounter(end, sum, 0, 0, 0, 0, DateTime.UnixEpoch, "", position)
            : new ReferenceCounter(
                end, sum, events.Length, events.Min(QuantityOf), events.Max(QuantityOf), QuantityOf(events[^1]), MomentOf(events[^1]),
                EventKeyOf(events[^1]), position);
    }

    private static BigInteger QuantityOf(LoggedRecord logged) =>
        (BigInteger)(logged.Record.Event?.Quantity ?? logged.Record.Control!.Quantity).Units;

    private static string EventKeyOf(LoggedRecord logged) => logged.Record.Control?.Subject ?? logged.Record.Key;

    private static DateTime MomentOf(LoggedRecord logged) =>
        DateTime.UnixEpoch.AddTicks((logged.Record.Event?.Timestamp ?? logged.Record.Control!.At).Ticks);
}
