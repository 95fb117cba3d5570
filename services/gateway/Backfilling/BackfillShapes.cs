using StripeMeter.Gateway.Events;
using StripeMeter.Gateway.Requests;

namespace StripeMeter.Gateway.Backfilling;

/// <summary>Events of the past to be brought in. Exactly one of <c>events</c> and <c>csvData</c> holds them.</summary>
/// <param name="TenantId">The tenant. Events name no other one.</param>
/// <param name="Metric">The metric. Events name no other one.</param>
/// <param name="PeriodStart">Only events from this day or moment on; others are refused.</param>
/// <param name="PeriodEnd">Only events up to this day, inclusive, or moment. Absent: the day of <c>periodStart</c>.</param>
/// <param name="CustomerRef">Only events of this customer.</param>
/// <param name="Reason">Why, for people: 1 to 500 characters.</param>
/// <param name="Events">1 to 5,000 events, as ingest takes them; what they leave out of tenant, metric and customer is filled in.</param>
/// <param name="CsvData">The same as CSV, with the names of the columns in the first row.</param>
/// <param name="SourceUrl">Not supported; refused.</param>
/// <param name="DryRun">Append nothing; say what would be.</param>
public sealed record BackfillBody(
    string TenantId, string Metric, string PeriodStart, string? PeriodEnd, string? CustomerRef, string Reason,
    IReadOnlyList<IngestEvent>? Events, string? CsvData, string? SourceUrl, bool? DryRun);

/// <summary>A backfill to be filled and committed step by step.</summary>
/// <param name="TenantId">The tenant.</param>
/// <param name="Metrics">Only events of these metrics. Absent: all.</param>
/// <param name="CustomerRefs">Only events of these customers. Absent: all.</param>
/// <param name="PeriodStart">Only events from this day or moment on.</param>
/// <param name="PeriodEnd">Only events up to this day, inclusive, or moment.</param>
/// <param name="Reason">Why, for people: 1 to 500 characters.</param>
/// <param name="DryRun">Append nothing when committed; say what would be.</param>
public sealed record SessionBody(
    string TenantId, IReadOnlyList<string>? Metrics, IReadOnlyList<string>? CustomerRefs, string? PeriodStart, string? PeriodEnd,
    string Reason, bool? DryRun);

/// <summary>What committing and reverting send.</summary>
/// <param name="TenantId">The tenant.</param>
/// <param name="Note">For people. Kept when reverting.</param>
public sealed record BackfillStep(string TenantId, string? Note);

/// <summary>A backfill that was begun.</summary>
/// <param name="OperationId">Under which to ask about it.</param>
/// <param name="Status">pending.</param>
/// <param name="Message">The same for people.</param>
public sealed record BackfillBegun(string OperationId, string Status, string Message);

/// <summary>A backfill: events of the past that count together or not at all. What is not there is empty.</summary>
/// <param name="Id">Given by the server. Its events carry it as their session.</param>
/// <param name="TenantId">The tenant.</param>
/// <param name="Kind">import or session.</param>
/// <param name="Metric">The metrics it takes, separated by commas; empty: all.</param>
/// <param name="CustomerRef">The customers it takes, separated by commas; empty: all.</param>
/// <param name="PeriodStart">From when, inclusive; empty: from the beginning.</param>
/// <param name="PeriodEnd">Until when, a day inclusive; empty: to the end.</param>
/// <param name="Status">open or pending, processing, completed, failed, cancelled, reverting or reverted.</param>
/// <param name="Reason">Why.</param>
/// <param name="Actor">Who began it.</param>
/// <param name="TotalEvents">Events and refused rows, once it is committed.</param>
/// <param name="ProcessedEvents">Events appended, or met in the ledger, so far.</param>
/// <param name="AcceptedEvents">Appended by it; of a dry run, those that would be.</param>
/// <param name="FailedEvents">Rows refused, and events that clash with others; <c>…/problems</c> lists them.</param>
/// <param name="DuplicateEvents">In the ledger already, or repeated in the file.</param>
/// <param name="RevertedDuplicateEvents">Of the duplicates, those of events of a backfill that was taken back: they count nowhere.</param>
/// <param name="DryRun">Whether nothing is appended.</param>
/// <param name="SourceType">How the events came.</param>
/// <param name="ErrorMessage">Why the file could not be read to its end.</param>
/// <param name="StartedAt">When it was committed.</param>
/// <param name="CompletedAt">When it came to rest.</param>
/// <param name="CreatedAt">When it was begun.</param>
/// <param name="UpdatedAt">When it last moved.</param>
/// <param name="RevertedBy">Who took it back.</param>
/// <param name="Note">What they had to say about it.</param>
public sealed record BackfillAnswer(
    string Id, string TenantId, string Kind, string Metric, string CustomerRef, string PeriodStart, string PeriodEnd, string Status,
    string Reason, string Actor, long TotalEvents, long ProcessedEvents, long AcceptedEvents, long FailedEvents, long DuplicateEvents,
    long RevertedDuplicateEvents, bool DryRun, string SourceType, string ErrorMessage, string StartedAt, string CompletedAt,
    string CreatedAt, string UpdatedAt, string RevertedBy, string Note);

/// <summary>Backfills, newest first.</summary>
/// <param name="Operations">One page.</param>
/// <param name="Total">All that match.</param>
/// <param name="NextCursor">Where the next page begins. Absent on the last.</param>
public sealed record BackfillPage(IReadOnlyList<BackfillAnswer> Operations, long Total, string? NextCursor);

/// <summary>What became of committing or reverting.</summary>
/// <param name="Ok">Always true.</param>
/// <param name="OperationId">The backfill.</param>
/// <param name="Status">How it stands now; the work goes on behind the answer.</param>
/// <param name="Already">It had been decided before.</param>
/// <param name="Message">The same for people.</param>
public sealed record BackfillDecided(bool Ok, string OperationId, string Status, bool? Already, string Message);

/// <summary>Rows and events that do not count.</summary>
/// <param name="Problems">In the order of their rows.</param>
/// <param name="NextCursor">Where the next page begins. Absent on the last.</param>
public sealed record BackfillProblemPage(IReadOnlyList<BackfillProblemAnswer> Problems, string? NextCursor);

/// <summary>A row or an event that does not count, and why.</summary>
/// <param name="Row">Its row in the file, from 1. Absent if there was no file.</param>
/// <param name="Line">The line on which it begins, where that is known.</param>
/// <param name="IdempotencyKey">Its key, if it has one.</param>
/// <param name="Error">What is wrong, as a sentence.</param>
/// <param name="Field">The field that is wrong.</param>
/// <param name="Reason">Why.</param>
public sealed record BackfillProblemAnswer(long? Row, long? Line, string? IdempotencyKey, string Error, string Field, string Reason);

/// <summary>Events that were in the ledger already.</summary>
/// <param name="Duplicates">In the order of their rows. About the first 10,000 of a backfill.</param>
/// <param name="NextCursor">Where the next page begins. Absent on the last.</param>
public sealed record BackfillDuplicatePage(IReadOnlyList<BackfillDuplicateAnswer> Duplicates, string? NextCursor);

/// <summary>An event that was in the ledger already, so the backfill did not add it.</summary>
/// <param name="Row">Its row in the file, from 1. Absent if there was no file.</param>
/// <param name="IdempotencyKey">The key it stands under.</param>
/// <param name="Shard">The shard of the ledger.</param>
/// <param name="Position">Its place in the shard.</param>
/// <param name="SessionId">The backfill it came by. Absent if it came live.</param>
/// <param name="Reverted">That backfill was taken back: it counts nowhere.</param>
public sealed record BackfillDuplicateAnswer(long? Row, string IdempotencyKey, int Shard, long Position, string? SessionId, bool? Reverted);

/// <summary>What committing would change, by a page of the waiting events.</summary>
/// <param name="Changes">Counters that the events of this page change.</param>
/// <param name="Accepted">Events of this page that would be appended.</param>
/// <param name="Duplicates">In the ledger already.</param>
/// <param name="Conflicts">Another event stands under their key.</param>
/// <param name="RevertedDuplicates">Of the duplicates, those of events that were taken back: they count nowhere.</param>
/// <param name="NextCursor">Where the next page begins. Absent on the last.</param>
public sealed record BackfillPreview(
    IReadOnlyList<CounterChangeAnswer> Changes, long Accepted, long Duplicates, long Conflicts, long RevertedDuplicates, string? NextCursor);

/// <summary>What a page of events changes in one counter.</summary>
/// <param name="Metric">The metric.</param>
/// <param name="CustomerRef">The customer.</param>
/// <param name="PeriodStart">Start of the billing period, inclusive.</param>
/// <param name="PeriodEnd">Its end, exclusive.</param>
/// <param name="SumDelta">What the sum gains.</param>
/// <param name="CountDelta">Events it gains.</param>
/// <param name="CurrentSum">Its sum now.</param>
/// <param name="CurrentCount">Its events now.</param>
public sealed record CounterChangeAnswer(
    string Metric, string CustomerRef, string? PeriodStart, string? PeriodEnd, ExactNumber SumDelta, long CountDelta,
    ExactNumber CurrentSum, long CurrentCount);
