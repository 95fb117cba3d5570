using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Pushing;

/// <summary>
/// The delta ledger of one Stripe customer on one meter: what Stripe should know per period, what it took, and the one
/// push under way. It is saved by compare-and-set on its revision only, which is what makes two pushers harmless.
/// </summary>
public sealed record DeltaDocument
{
    /// <summary>Invoices kept for periods without usage.</summary>
    public const int MaximumAwaited = 24;

    public required DeltaKey Key { get; init; }

    /// <summary>Of the stored document this one was made from; 0 if there is none.</summary>
    public long Revision { get; init; }

    public required MeterNames Meter { get; init; }

    /// <summary>It is told in a test account what is billed elsewhere.</summary>
    public bool IsShadow { get; init; }

    /// <summary>In the order of their starts.</summary>
    public IReadOnlyList<PeriodDelta> Periods { get; init; } = [];

    /// <summary>Invoices of periods in which nothing was counted yet, for usage that comes late; those of the latest periods.</summary>
    public IReadOnlyList<AwaitedInvoice> Awaited { get; init; } = [];

    public UsedMinutes Used { get; init; } = UsedMinutes.None;

    /// <summary>The one intent that is not in the history yet.</summary>
    public PushIntent? Open { get; init; }

    /// <summary>Accepted intents that are still looked for in Stripe's summaries.</summary>
    public IReadOnlyList<PushIntent> Checking { get; init; } = [];

    /// <summary>Entries of the history so far.</summary>
    public long Closings { get; init; }

    /// <summary>Intents minted so far.</summary>
    public long Minted { get; init; }

    public Instant? LastMinted { get; init; }

    /// <summary>The last intent told only a part of its delta, because of Stripe's limit of digits.</summary>
    public bool IsSplit { get; init; }

    /// <summary>Intents in a row that Stripe refused, or accepted and did not count. Ends when one is found in its summaries.</summary>
    public int Rejections { get; init; }

    /// <summary>When the last of them was.</summary>
    public Instant? RejectedAt { get; init; }

    /// <summary>
    /// From when Stripe bills the customer for the meter: its line and the line's price had begun. Usage from before is
    /// stamped there. The epoch: always.
    /// </summary>
    public Instant BilledFrom { get; init; }

    /// <summary>
    /// From where on periods are cut otherwise than when something was told in them, so that it is to be sorted into them anew;
    /// null if all is where it belongs. Nothing is sent until then.
    /// </summary>
    public Instant? CutFrom { get; init; }

    /// <summary>Nothing is minted before this.</summary>
    public Instant? HeldUntil { get; init; }

    /// <summary>Since when nothing is minted because too many intents were refused. Ends when the mapping is changed.</summary>
    public Instant? ParkedSince { get; init; }

    /// <summary>Why it is held or parked.</summary>
    public string Problem { get; init; } = "";

    /// <summary>When something is to be done; null if nothing is, or only a human can.</summary>
    public Instant? Due { get; init; }

    /// <summary>Since when Stripe has not accepted everything; null if it has.</summary>
    public Instant? BehindSince { get; init; }

    /// <summary>
    /// Those that still are periods. Once customers are anchored elsewhere, one that begins within another and in which nothing is
    /// counted is none.
    /// </summary>
    public IReadOnlyList<PeriodDelta> Present
    {
        get
        {
            var present = new List<PeriodDelta>(Periods.Count);
            foreach (var delta in Periods)
            {
                if (delta.IsCounted || present.All(earlier => !earlier.Period.Contains(delta.Period.Start)))
                    present.Add(delta);
            }

            return present;
        }
    }

    public PeriodDelta? Find(Instant periodStart) => Periods.FirstOrDefault(period => period.Period.Start == periodStart);

    /// <summary>The period that begins with this one; as it begins, with what Stripe said of its invoices, if nothing was counted in it yet.</summary>
    public PeriodDelta FindOrBegin(BillingPeriod period) => Find(period.Start) ?? new PeriodDelta
    {
        Period = period, FirstClosing = Closings, Invoices = [.. Awaited.Where(awaited => awaited.Bills(period)).Select(awaited => awaited.Invoice)],
    };

    /// <summary>
    /// The period that a push counts in: the one it was minted for while its timestamp lies there, else the one in which it
    /// lies now. Stripe bills by timestamps, however periods are cut since.
    /// </summary>
    public PeriodDelta PeriodOf(PushIntent intent)
    {
        ArgumentNullException.ThrowIfNull(intent);
        return PeriodOf(intent.Period.Start, intent.Minute)
            // Until it is sorted into the next one.
            ?? Present.LastOrDefault(delta => delta.Period.End <= intent.Minute)
            ?? Find(intent.Period.Start) ?? throw new ArgumentException("It is of no period of the document.", nameof(intent));
    }

    /// <summary>The period that something counts in which was told for one that began at an instant; null if it lies in none.</summary>
    internal PeriodDelta? PeriodOf(Instant periodStart, Instant minute)
    {
        var present = Present;
        return present.FirstOrDefault(delta => delta.Period.Start == periodStart && delta.Period.Contains(minute))
            ?? present.LastOrDefault(delta => delta.Period.Contains(minute));
    }

    /// <summary>Adds a period, or puts it in the place of the one with the same start.</summary>
    public DeltaDocument With(PeriodDelta period) => this with
    {
        Periods = [.. Periods.Where(other => other.Period.Start != period.Period.Start).Append(period).OrderBy(other => other.Period.Start)],
    };

    /// <summary>Keeps what Stripe said of an invoice. The same if it said so already, or something later.</summary>
    public DeltaDocument With(AwaitedInvoice invoice) =>
        Awaited.Any(known => known.IsOf(invoice) && known.Invoice.Asked >= invoice.Invoice.Asked)
            ? this
            : this with { Awaited = [.. Awaited.Where(known => !known.IsOf(invoice)).Append(invoice).OrderBy(known => known.PeriodEnd).TakeLast(MaximumAwaited)] };

    /// <summary>Enters a number into an intent that was just closed.</summary>
    internal DeltaDocument Closing(PushIntent intent, out PushIntent closed)
    {
        closed = intent with { Closing = Closings + 1 };
        return this with { Closings = Closings + 1 };
    }

    /// <summary>The same with the revision it has once it is saved.</summary>
    public DeltaDocument Saved() => this with { Revision = Revision + 1 };
}
