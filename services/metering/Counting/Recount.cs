using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Counting;

/// <summary>
/// The counters of one series as the log has them up to a position: what it holds for them, less what it takes back
/// anywhere up to there. Each says by its version the last re-cut that concerns it.
/// </summary>
/// <param name="LogId">The log.</param>
/// <param name="Series">The series.</param>
/// <param name="Range">Whole periods.</param>
/// <param name="Position">Everything up to here was looked at.</param>
/// <param name="Counters">By the start of their period, also those in which nothing is left.</param>
public sealed record Recount(
    string LogId, EventSeries Series, BillingPeriod Range, long Position, IReadOnlyDictionary<Instant, Counter> Counters);
