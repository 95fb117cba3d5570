using StripeMeter.Gateway.Requests;

namespace StripeMeter.Gateway.Replay;

/// <summary>Which late events to count. Without <c>mode</c> and <c>dryRun</c> nothing is changed.</summary>
/// <param name="TenantId">The tenant.</param>
/// <param name="Metrics">The metrics. Absent: all.</param>
/// <param name="Since">A moment, or a negative duration before now, such as -PT24H. Absent: from the beginning.</param>
/// <param name="Until">A moment, or now.</param>
/// <param name="Mode">dry-run or apply.</param>
/// <param name="DryRun">The same in another spelling: false applies.</param>
/// <param name="Cursor">Where to go on: <c>cursor</c> of the answer before.</param>
/// <param name="Watermark">Taken for older clients; the ledger knows what is late.</param>
public sealed record ReplayBody(
    string TenantId, IReadOnlyList<string>? Metrics, string? Since, string? Until, string? Mode, bool? DryRun, string? Cursor,
    string? Watermark);

/// <summary>What counting late events changes, or has changed.</summary>
/// <param name="Mode">dry-run or apply.</param>
/// <param name="TenantId">The tenant.</param>
/// <param name="Metrics">The metrics asked for; empty: all.</param>
/// <param name="TimeRange">The range, as it was understood.</param>
/// <param name="Changes">By metric.</param>
/// <param name="Cursor">Where to go on. Absent when the range is done.</param>
/// <param name="Watermark">Timestamp of the newest late event looked at.</param>
/// <param name="Applied">Late events approved by this call; when applying only.</param>
/// <param name="Summary">The answer in numbers.</param>
public sealed record ReplayAnswer(
    string Mode, string TenantId, IReadOnlyList<string> Metrics, ReplayTimeRange TimeRange,
    IReadOnlyDictionary<string, ReplayMetric> Changes, string? Cursor, string? Watermark, long? Applied, ReplaySummary Summary);

/// <summary>A range of time.</summary>
/// <param name="Since">Inclusive.</param>
/// <param name="Until">Inclusive.</param>
public sealed record ReplayTimeRange(string? Since, string? Until);

/// <summary>What a page found of one metric.</summary>
/// <param name="EventsFound">Events in the range, also those that count. On the first page only.</param>
/// <param name="LateEvents">Late events that waited for approval.</param>
/// <param name="CounterDelta">What the sums gain by them.</param>
/// <param name="AffectedCustomers">Whose counters change; at most 1,000.</param>
public sealed record ReplayMetric(long EventsFound, long LateEvents, ExactNumber CounterDelta, IReadOnlyList<string> AffectedCustomers);

/// <summary>The answer in numbers.</summary>
/// <param name="LateEvents">Late events of all metrics.</param>
/// <param name="Metrics">Metrics with any.</param>
/// <param name="Done">Whether the range is done.</param>
public sealed record ReplaySummary(long LateEvents, int Metrics, bool Done);

/// <summary>Whose counters are to be counted anew from the ledger.</summary>
/// <param name="TenantId">The tenant.</param>
/// <param name="CustomerRef">Absent: every customer.</param>
/// <param name="RebuildId">Names the rebuild: repeated under the same name, nothing is done twice.</param>
/// <param name="Cursor">Where to go on: <c>cursor</c> of the answer before.</param>
/// <param name="Limit">Counters of one call, 1 to 1,000.</param>
public sealed record RebuildBody(string TenantId, string? CustomerRef, string RebuildId, string? Cursor, int? Limit);

/// <summary>What was told to be counted anew.</summary>
/// <param name="Counters">Counters of this call.</param>
/// <param name="Cursor">Where to go on. Absent when all have been told.</param>
public sealed record RebuildAnswer(long Counters, string? Cursor);
