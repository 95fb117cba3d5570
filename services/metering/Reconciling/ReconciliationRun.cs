using System.Text.Json.Serialization;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Reconciling;

/// <summary>How far a run has come. The numbers are on disk and in the protocol.</summary>
public enum RunState
{
    Pending = 1,
    Running = 2,
    Completed = 3,
    Failed = 4,
}

/// <summary>What a run found.</summary>
public sealed record RunTally
{
    /// <summary>Periods that stand well.</summary>
    public int Ok { get; init; }

    /// <summary>Periods that stand well again.</summary>
    public int Resolved { get; init; }

    /// <summary>Periods that do not.</summary>
    public int Investigate { get; init; }

    /// <summary>Of all these, periods that had not moved and were not read.</summary>
    public int NotRead { get; init; }

    /// <summary>Periods that could not be read: Stripe did not answer, or the read budget is used up. They are first the next time.</summary>
    public int Unreadable { get; init; }

    /// <summary>Of these, periods that Stripe did not answer for.</summary>
    public int Unanswered { get; init; }

    /// <summary>Nothing could be read of what was to be, so it says nothing about how anything stands.</summary>
    [JsonIgnore]
    public bool IsInVain => Unanswered > 0 && Ok + Resolved + Investigate == NotRead;

    internal RunTally WithUnreadable(bool isAnswered) =>
        this with { Unreadable = Unreadable + 1, Unanswered = Unanswered + (isAnswered ? 0 : 1) };

    public RunTally With(ReconciliationReport report, bool isRead) => this with
    {
        Ok = Ok + (report.Status == ReconciliationStatus.Ok ? 1 : 0),
        Resolved = Resolved + (report.Status == ReconciliationStatus.Resolved ? 1 : 0),
        Investigate = Investigate + (report.Status == ReconciliationStatus.Investigate ? 1 : 0),
        NotRead = NotRead + (isRead ? 0 : 1),
    };
}

/// <summary>One comparison of a tenant with Stripe.</summary>
public sealed record ReconciliationRun
{
    /// <summary>Sorts by time.</summary>
    public required string Id { get; init; }

    /// <summary>Reads every period, also those that have not moved.</summary>
    public bool IsFull { get; init; }

    public RunState State { get; init; } = RunState.Pending;

    public Instant Created { get; init; }

    public Instant? Started { get; init; }

    public Instant? Ended { get; init; }

    /// <summary>While it runs: when it is taken for abandoned.</summary>
    public Instant? LeaseUntil { get; init; }

    public RunTally Tally { get; init; } = new();

    /// <summary>Why it failed.</summary>
    public string Problem { get; init; } = "";

    /// <summary>It changes no more.</summary>
    public bool IsOver => State is RunState.Completed or RunState.Failed;
}
