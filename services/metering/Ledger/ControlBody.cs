using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Ledger;

/// <summary>
/// What a control record says. It carries all that folding needs, so that a record never has to be looked up to be
/// folded; what a kind has no use for is empty.
/// </summary>
public sealed record ControlBody
{
    /// <summary>What it is about: the id of an adjustment, session, anchor change or repair; of a late event, its key.</summary>
    public required string Subject { get; init; }

    /// <summary>Empty where it concerns all metrics of a customer, or a session.</summary>
    public string Metric { get; init; } = "";

    /// <summary>Empty where it concerns a session.</summary>
    public string Customer { get; init; } = "";

    /// <summary>What an adjustment adds, also below zero; of a late event, its quantity.</summary>
    public Quantity Quantity { get; init; }

    /// <summary>An instant of the period concerned; of a late event, its timestamp; of an anchor, from when it holds.</summary>
    public Instant At { get; init; }

    /// <summary>Of an anchor change only.</summary>
    public PeriodAnchor? Anchor { get; init; }

    /// <summary>Periods that ended at or before this instant were closed when the record was appended, and stay as they are.</summary>
    public Instant ClosedBefore { get; init; }

    /// <summary>Who brought it about.</summary>
    public string Actor { get; init; } = "";

    /// <summary>What the actor had to say about it. Not in messages.</summary>
    public string Note { get; init; } = "";
}
