using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using StripeMeter.Defaults.Wire;
using StripeMeter.Gateway.Errors;
using StripeMeter.Gateway.Requests;
using StripeMeter.Metering.Time;
using StripeMeter.V1;

namespace StripeMeter.Gateway.Backfilling;

/// <summary>Backfills as REST spells them.</summary>
internal static class BackfillWords
{
    public static readonly (string Word, BackfillStatus Value)[] Statuses =
    [
        ("open", BackfillStatus.Open), ("pending", BackfillStatus.Pending), ("processing", BackfillStatus.Processing),
        ("completed", BackfillStatus.Completed), ("failed", BackfillStatus.Failed), ("cancelled", BackfillStatus.Cancelled),
        ("reverting", BackfillStatus.Reverting), ("reverted", BackfillStatus.Reverted),
    ];

    public static string Of(BackfillStatus status) => Statuses.First(pair => pair.Value == status).Word;

    public static BackfillAnswer ToAnswer(Backfill sent) => new(
        sent.Id, sent.TenantId, sent.Kind.ToString().ToLowerInvariant(), string.Join(',', sent.Metrics), string.Join(',', sent.CustomerRefs),
        Start(sent.StartTime), End(sent.EndTime), Of(sent.Status), sent.Reason, sent.Actor, sent.TotalCount, sent.ProcessedCount,
        sent.AcceptedCount, sent.RefusedCount + sent.ConflictCount, sent.DuplicateCount, sent.RevertedDuplicateCount, sent.DryRun,
        sent.SourceType, sent.Problem, Moment(sent.CommitTime), Moment(sent.EndOfWorkTime), Moment(sent.CreateTime),
        Moment(sent.UpdateTime), sent.RevertedBy, sent.Note);

    public static BackfillProblemAnswer ToAnswer(BackfillProblem problem)
    {
        var error = new ProblemError(RestNames.Of(problem.Error.Field).Field, problem.Error.Reason);
        return new BackfillProblemAnswer(
            problem.Row > 0 ? problem.Row : null, problem.Line > 0 ? problem.Line : null,
            problem.IdempotencyKey.OrNull(), error.ToString(), error.Field, error.Reason);
    }

    public static BackfillDuplicateAnswer ToAnswer(BackfillDuplicate duplicate) => new(
        duplicate.Row > 0 ? duplicate.Row : null, duplicate.IdempotencyKey, duplicate.Shard, duplicate.Position,
        duplicate.SessionId.Length > 0 ? duplicate.SessionId : null, duplicate.Reverted ? true : null);

    public static CounterChangeAnswer ToAnswer(CounterChange change) => new(
        change.Metric, change.CustomerRef, RestTime.Write(change.PeriodStart), RestTime.Write(change.PeriodEnd),
        new ExactNumber(change.SumDelta), change.CountDelta, new ExactNumber(change.CurrentSum), change.CurrentCount);

    private static string Moment(Timestamp? timestamp) => RestTime.Write(timestamp) ?? "";

    private static string Start(Timestamp timestamp) =>
        timestamp.TryToInstant(out var instant) is null && instant > Instant.Minimum ? DayOrMoment(instant, instant) : "";

    /// <summary>A day is told as the last that belongs to it.</summary>
    private static string End(Timestamp timestamp) => timestamp.TryToInstant(out var instant) is null && instant < Instant.Maximum
        ? DayOrMoment(instant, instant - TimeSpan.FromDays(1)) : "";

    private static string DayOrMoment(Instant instant, Instant day) => instant.ToUtc().TimeOfDay == TimeSpan.Zero
        ? day.ToUtc().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)
        : InstantText.Write(instant);
}
