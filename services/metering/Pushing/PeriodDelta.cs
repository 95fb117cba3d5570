using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Pushing;

/// <summary>What Stripe should know of one billing period, and has taken.</summary>
public sealed record PeriodDelta
{
    /// <summary>Invoices remembered that bill one period; of more, those that are final first.</summary>
    public const int MaximumInvoices = 10;

    public required BillingPeriod Period { get; init; }

    /// <summary>Entries that the document's history had before anything was told of it.</summary>
    public long FirstClosing { get; init; }

    public IReadOnlyList<Contribution> Contributions { get; init; } = [];

    /// <summary>Sum of the intents that Stripe accepted and that are closed.</summary>
    public Quantity Accepted { get; init; }

    /// <summary>What Stripe's summaries showed when they last agreed with it.</summary>
    public Quantity Confirmed { get; init; }

    /// <summary>Brought over from periods that could no longer be billed.</summary>
    public Quantity CarriedIn { get; init; }

    /// <summary>Brought over into other periods.</summary>
    public Quantity CarriedOut { get; init; }

    /// <summary>What a sink that overwrites holds, by hour or day; one for the period where it is told running totals.</summary>
    public IReadOnlyList<ToldSlot> Slots { get; init; } = [];

    /// <summary>The invoices that bill it, as far as Stripe told of them.</summary>
    public IReadOnlyList<InvoiceEnd> Invoices { get; init; } = [];

    /// <summary>When the first of its invoices becomes final, if Stripe said so: what comes later is not on that one.</summary>
    public Instant? Deadline => Invoices.Min(invoice => (Instant?)invoice.Final);

    /// <summary>
    /// The earliest timestamp that is surely within it at Stripe too: the last second of its first minute. Ours begin with a minute,
    /// and billing cycles of Stripe somewhere within it; so usage of that minute is not billed with the period before.
    /// </summary>
    internal Instant Earliest => Period.Start.ToMinute() == Period.Start
        ? Period.Start + TimeSpan.FromSeconds(59)
        : Period.Start.Ceiling(TimeSpan.FromMinutes(1));

    /// <summary>What the ledger says.</summary>
    public Quantity Target => Contributions.Aggregate(Quantity.Zero, (sum, contribution) => sum + contribution.Share);

    /// <summary>What Stripe should have.</summary>
    public Quantity Expected => Target + CarriedIn - CarriedOut;

    /// <summary>What Stripe has not accepted yet, a push under way included. Negative after a correction.</summary>
    public Quantity Outstanding => Expected - Accepted;

    /// <summary>Newest instant counted. Of what was only carried or taken back none is newer than the present.</summary>
    public Instant Newest => Contributions.Count == 0
        ? Instant.Maximum
        : Contributions.Aggregate(Instant.Minimum, (newest, contribution) => Instant.Max(newest, contribution.Newest));

    public Contribution? Find(string metric, string customer) =>
        Contributions.FirstOrDefault(contribution => contribution.IsOf(metric, customer));

    /// <summary>A counter that still tells here has something in it.</summary>
    internal bool IsCounted => Contributions.Any(contribution => !contribution.HasLeft && contribution.Value != Quantity.Zero);

    /// <summary>The slot that an intent overwrites. One that nothing was surely told in yet holds nothing.</summary>
    internal ToldSlot SlotOf(PushIntent intent)
    {
        var start = intent.Meter.Sink == SinkKind.RunningTotal ? Period.Start : intent.Minute;
        // Slots of usage records were once kept under the start of their period.
        var slot = Slots.FirstOrDefault(slot => intent.Meter.Sink == SinkKind.UsageRecords ? slot.Stamp == start : slot.Start == start);
        return slot == default ? new ToldSlot(start, Quantity.Zero, intent.Number, intent.Minute) : slot;
    }

    /// <summary>Puts a slot in the place of the one with its start.</summary>
    internal PeriodDelta With(ToldSlot slot) => this with { Slots = [.. Slots.Where(other => other.Start != slot.Start), slot] };

    /// <summary>Adds a contribution, or puts it in the place of the one of the same counter.</summary>
    public PeriodDelta With(Contribution contribution) => this with
    {
        Contributions = Find(contribution.Metric, contribution.Customer) is null
            ? [.. Contributions, contribution]
            : [.. Contributions.Select(other => other.IsOf(contribution.Metric, contribution.Customer) ? contribution : other)],
    };

    /// <summary>Enters what Stripe said of an invoice. The same if it said so already, or something later.</summary>
    public PeriodDelta With(InvoiceEnd invoice) =>
        Invoices.Any(known => known.Invoice == invoice.Invoice && known.Asked >= invoice.Asked)
            ? this
            : this with
            {
                Invoices = [.. Invoices.Where(other => other.Invoice != invoice.Invoice).Append(invoice).OrderBy(known => known.Final).Take(MaximumInvoices)],
            };
}
