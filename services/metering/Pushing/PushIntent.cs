using System.Globalization;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Pushing;

/// <summary>What is known of a push. The numbers are on disk.</summary>
public enum IntentState
{
    /// <summary>Durable; Stripe has certainly not taken it.</summary>
    Pending = 1,

    /// <summary>An attempt is under way, or was when the process ended.</summary>
    Sent = 2,

    /// <summary>Stripe answered 200, or that it knows the identifier.</summary>
    Accepted = 3,

    /// <summary>Whether Stripe has taken it is not known.</summary>
    Ambiguous = 4,

    /// <summary>Stripe refused it, at the first attempt or after it had accepted it. What it was to tell is told by another one.</summary>
    Rejected = 5,

    /// <summary>Stripe's summaries showed that it was never taken.</summary>
    Missing = 6,

    /// <summary>Found in Stripe's summaries.</summary>
    Confirmed = 7,

    /// <summary>Its period, or the minute it is stamped with, could no longer be billed when it was to be sent.</summary>
    Expired = 8,

    /// <summary>What it was to tell was carried into another period.</summary>
    Carried = 9,
}

/// <summary>
/// One push to Stripe, durable before it is sent. What is sent never changes under an identifier: event name, payload,
/// timestamp and identifier are fixed when it is minted.
/// </summary>
public sealed record PushIntent
{
    /// <summary>Identifier of the meter event, unique everywhere: see <see cref="IntentIdentifier"/>.</summary>
    public required string Identifier { get; init; }

    /// <summary>Counts the intents of a document from 1.</summary>
    public required long Number { get; init; }

    public required MeterNames Meter { get; init; }

    /// <summary>The billing period it tells of, as that was cut when it was minted.</summary>
    public required BillingPeriod Period { get; init; }

    /// <summary>What it adds to what Stripe has. May be negative.</summary>
    public required Quantity Value { get; init; }

    /// <summary>The total it tells, where the sink overwrites; null where <see cref="Value"/> itself is told.</summary>
    public Quantity? Total { get; init; }

    /// <summary>
    /// Its timestamp. On a sink of differences in a minute that no other intent of the document has; else the start of the
    /// hour or day, or for a running total a second later than the one before.
    /// </summary>
    public required Instant Minute { get; init; }

    /// <summary>What is sent. At most 15 significant digits.</summary>
    public Quantity Sent => Total ?? Value;

    public required Instant Created { get; init; }

    /// <summary>The counters it tells of, as they stood when it was minted: so what it told is found in the ledger.</summary>
    public TargetBasis Basis { get; init; } = TargetBasis.None;

    /// <summary>
    /// Spans of the requests that it comes from, as W3C's <c>traceparent</c>, separated by spaces: those that had gathered when it was
    /// minted, which may name usage of other counters too. Empty where nobody traces. It is for people; nothing rests on it.
    /// </summary>
    public string Traces { get; init; } = "";

    public IntentState State { get; init; } = IntentState.Pending;

    /// <summary>Attempts begun.</summary>
    public int Attempts { get; init; }

    /// <summary>An attempt before the present one may have been taken by Stripe.</summary>
    public bool IsDoubtful { get; init; }

    /// <summary>When the first attempt began that may have been taken. From here Stripe's identifier window runs.</summary>
    public Instant? FirstSent { get; init; }

    /// <summary>When the last attempt began. A total may be sent again long after the first.</summary>
    public Instant? LastSent { get; init; }

    /// <summary>Not tried before this; while <see cref="IntentState.Sent"/>, when the attempt is given up as lost.</summary>
    public Instant NextAttempt { get; init; }

    /// <summary>Grows after a 5xx that Stripe may have stored under the idempotency key.</summary>
    public int KeyNumber { get; init; } = 1;

    /// <summary>What Stripe or the network said last.</summary>
    public string LastError { get; init; } = "";

    /// <summary>Stripe answered that it knows the identifier, instead of 200.</summary>
    public bool IsDuplicate { get; init; }

    /// <summary>What an error report of Stripe said of it after it was accepted; empty if none names it.</summary>
    public string Report { get; init; } = "";

    /// <summary>What the summaries held instead of its total, once that was settled.</summary>
    public Quantity? Held { get; init; }

    /// <summary>How often it was looked for in Stripe's summaries.</summary>
    public int Readings { get; init; }

    /// <summary>The period that <see cref="Value"/> was carried into, if it was.</summary>
    public Instant? CarriedTo { get; init; }

    /// <summary>
    /// Counts what a document entered into its history from 1; 0 until then. An intent that was accepted and then found
    /// (or found missing) is entered twice, because the history is never edited.
    /// </summary>
    public long Closing { get; init; }

    /// <summary>
    /// The identifier, so that a retry replays what Stripe stored; another one once what it stored is an error.
    /// See https://docs.stripe.com/api/idempotent_requests.
    /// </summary>
    public string IdempotencyKey =>
        KeyNumber == 1 ? Identifier : $"{Identifier}#{KeyNumber.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>It changes no more: what is left is to copy it to the history.</summary>
    public bool IsClosed => State is not (IntentState.Pending or IntentState.Sent or IntentState.Ambiguous);
}
