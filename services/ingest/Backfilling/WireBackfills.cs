using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using DomainBackfill = StripeMeter.Metering.Backfilling.Backfill;
using DomainChange = StripeMeter.Metering.Backfilling.CounterChange;
using DomainDuplicate = StripeMeter.Metering.Backfilling.BackfillDuplicate;
using DomainProblem = StripeMeter.Metering.Backfilling.BackfillProblem;

namespace StripeMeter.Ingest.Backfilling;

/// <summary>Backfills as the API shows them.</summary>
internal static class WireBackfills
{
    public static V1.Backfill ToWire(this DomainBackfill backfill, TenantId tenant)
    {
        var tally = backfill.Tally;
        var wire = new V1.Backfill
        {
            Id = backfill.Id,
            TenantId = tenant.Value,
            Kind = (V1.BackfillKind)backfill.Kind,
            Status = (V1.BackfillStatus)backfill.Status,
            StartTime = backfill.Scope.From.ToTimestamp(),
            EndTime = backfill.Scope.Before.ToTimestamp(),
            Reason = backfill.Reason,
            Actor = backfill.Actor,
            SourceType = backfill.Source,
            DryRun = backfill.DryRun,
            TotalCount = backfill.Staged + backfill.Refused + backfill.RepeatedRows,
            ProcessedCount = tally.Processed,
            AcceptedCount = tally.Accepted,
            DuplicateCount = tally.Duplicates + backfill.RepeatedRows,
            ConflictCount = tally.Conflicts,
            RefusedCount = backfill.Refused,
            RevertedDuplicateCount = tally.Buried,
            Problem = backfill.Problem,
            CreateTime = backfill.Created.ToTimestamp(),
            UpdateTime = backfill.Updated.ToTimestamp(),
            CommitTime = ToTimestamp(backfill.CommitDecided),
            EndOfWorkTime = ToTimestamp(backfill.Ended),
            RevertedBy = backfill.RevertedBy,
            Note = backfill.Note,
            ContentDigest = backfill.ContentDigest,
        };
        wire.Metrics.AddRange(backfill.Scope.Metrics);
        wire.CustomerRefs.AddRange(backfill.Scope.Customers);
        return wire;
    }

    public static V1.CounterChange ToWire(this DomainChange change) => new()
    {
        Metric = change.Key.Metric,
        CustomerRef = change.Key.Customer,
        PeriodStart = change.Period.Start.ToTimestamp(),
        PeriodEnd = change.Period.End.ToTimestamp(),
        SumDelta = change.SumDelta.ToString(),
        CountDelta = change.CountDelta,
        CurrentSum = (change.Now?.Aggregates.Sum ?? default).ToString(),
        CurrentCount = change.Now?.Aggregates.Count ?? 0,
    };

    public static V1.BackfillProblem ToWire(this DomainProblem problem) => new()
    {
        Row = problem.Row,
        Line = problem.Line,
        IdempotencyKey = problem.Key,
        Error = new V1.FieldError { Field = problem.Field, Reason = problem.Reason },
    };

    public static V1.BackfillDuplicate ToWire(this DomainDuplicate duplicate) => new()
    {
        Row = duplicate.Row,
        IdempotencyKey = duplicate.Key,
        Shard = duplicate.Shard,
        Position = duplicate.Position,
        SessionId = duplicate.Session,
        Reverted = duplicate.IsBuried,
    };

    private static Google.Protobuf.WellKnownTypes.Timestamp? ToTimestamp(Instant? instant) => instant?.ToTimestamp();
}
