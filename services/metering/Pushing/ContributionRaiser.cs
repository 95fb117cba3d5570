using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Pushing;

/// <summary>A contribution and where it goes.</summary>
/// <param name="Period">The billing period.</param>
/// <param name="Contribution">What the counter adds.</param>
/// <param name="Meter">How the meter wants its events.</param>
/// <param name="Mapped">When the mapping was last changed.</param>
public sealed record RaisedContribution(BillingPeriod Period, Contribution Contribution, MeterNames Meter, Instant Mapped)
{
    /// <summary>Since when the mapping is there. What was final before that was never its to bill.</summary>
    public Instant MappedSince { get; init; } = Instant.Minimum;

    /// <summary>It goes to a test account, and is billed elsewhere.</summary>
    public bool IsShadow { get; init; }

    /// <summary>When the price of the mapping began, if that is known: what is stamped before is billed by none of its lines.</summary>
    public Instant PriceBegan { get; init; }
}

/// <summary>
/// Brings what was counted into the delta documents of one tenant. When a customer reference comes to another Stripe
/// customer, what was raised for the one before stays there, and only what comes after goes to the new one.
/// </summary>
public sealed class ContributionRaiser(IDeltaLedger ledger, PushProtocol protocol, TimeProvider clock)
{
    /// <summary>Documents one counter may contribute to.</summary>
    public const int MaximumHolders = 1_000;

    private Instant Now => Instant.Of(clock.GetUtcNow());

    /// <summary>Durable when it returns.</summary>
    /// <exception cref="StoreUnavailableException">Not everything was saved. Raising the same again is harmless.</exception>
    public async Task RaiseAsync(DeltaKey key, IReadOnlyCollection<RaisedContribution> raised, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(raised);
        for (var save = 0; save < DeltaChanges.MaximumSaves; save++)
        {
            var stored = await ledger.LoadAsync(key, cancellation).ConfigureAwait(false);
            var document = stored ?? new DeltaDocument { Key = key, Meter = raised.First().Meter };
            var billed = raised.Where(item => !IsHistory(document, item)).ToList();
            var claimed = Claim(document, billed);
            if (!ReferenceEquals(claimed, document))
            {
                await ledger.SaveAsync(claimed, cancellation).ConfigureAwait(false);
                continue;
            }

            foreach (var item in billed)
            {
                var (period, contribution) = (item.Period, item.Contribution);
                var placed = contribution;
                if (PresentIn(document, period, contribution)!.HasLeft)
                {
                    // Who has a newer version of the counter also knows better whose it is.
                    if (await TakeOverAsync(key, period.Start, contribution, cancellation).ConfigureAwait(false) is not { } elsewhere)
                        continue;
                    placed = contribution with { Elsewhere = elsewhere };
                }

                document = Raise(document, item, placed);
            }

            if (billed.Count == 0 || ReferenceEquals(document, stored) || await ledger.SaveAsync(document, cancellation).ConfigureAwait(false))
                return;
        }

        throw DeltaChanges.TooSlow();
    }

    private DeltaDocument Raise(DeltaDocument document, RaisedContribution item, Contribution placed)
    {
        if (document.IsShadow != item.IsShadow)
            document = document with { IsShadow = item.IsShadow };
        return protocol.SetBilledFrom(protocol.Raise(document, item.Period, placed, item.Meter, item.Mapped, Now), item.PriceBegan, Now);
    }

    /// <summary>
    /// Puts contributions that are new here in place, with a share of nothing. Only once that is saved are the other
    /// holders looked for: so of two takers that are new, at least one finds the other.
    /// </summary>
    private DeltaDocument Claim(DeltaDocument document, IReadOnlyCollection<RaisedContribution> raised)
    {
        foreach (var item in raised)
        {
            if (PresentIn(document, item.Period, item.Contribution) is null)
                document = Raise(document, item, item.Contribution with { Elsewhere = item.Contribution.Value, HasLeft = true });
        }

        return document;
    }

    /// <summary>
    /// A period whose invoice was final before the mapping was made, and of which nothing was told: to bill it now would be
    /// a surprise. A mapping that is deleted and made again finds what it told, and goes on.
    /// </summary>
    private bool IsHistory(DeltaDocument document, RaisedContribution item) =>
        document.Find(item.Period.Start) is null && protocol.Ends.IsClosed(document.FindOrBegin(item.Period), item.MappedSince);

    private static Contribution? PresentIn(DeltaDocument document, BillingPeriod period, Contribution contribution) =>
        document.Find(period.Start)?.Find(contribution.Metric, contribution.Customer);

    /// <summary>
    /// Freezes a contribution in the other documents of the meter that have it, and sums what stays there. Each of them
    /// is saved, even if it was frozen: so of two takers, one finds its own document changed and starts over. Null if one
    /// of them has a newer version of the counter.
    /// </summary>
    private async Task<Quantity?> TakeOverAsync(
        DeltaKey key, Instant periodStart, Contribution contribution, CancellationToken cancellation)
    {
        var query = new DeltaQuery { Metric = contribution.Metric, Customer = contribution.Customer, Limit = MaximumHolders };
        var holders = await ledger.ListAsync(query, cancellation).ConfigureAwait(false);
        var elsewhere = Quantity.Zero;
        foreach (var holder in holders.Where(holder => holder.Key != key && IsSameMeter(holder.Key, key)))
        {
            if (await LeaveAsync(holder.Key, periodStart, contribution, cancellation).ConfigureAwait(false) is not { } share)
                return null;
            elsewhere += share;
        }

        return elsewhere;
    }

    /// <summary>What stays there; null if it has a newer version, and so nothing may be taken from it.</summary>
    private async Task<Quantity?> LeaveAsync(
        DeltaKey holder, Instant periodStart, Contribution contribution, CancellationToken cancellation)
    {
        Quantity? share = Quantity.Zero;
        await ledger.ChangeAsync(
            holder,
            document =>
            {
                var held = document.Find(periodStart)?.Find(contribution.Metric, contribution.Customer);
                var isNewer = held is { HasLeft: false } && held.LogId == contribution.LogId && held.Version > contribution.Version;
                share = isNewer ? null : Quantity.Zero;
                if (held is null || isNewer)
                    return null;
                var left = protocol.Leave(document, periodStart, contribution.Metric, contribution.Customer, Now);
                share = left.Find(periodStart)!.Find(contribution.Metric, contribution.Customer)!.Share;
                return left;
            },
            cancellation).ConfigureAwait(false);
        return share;
    }

    private static bool IsSameMeter(DeltaKey left, DeltaKey right) =>
        left.Account == right.Account && left.Livemode == right.Livemode && left.MeterId == right.MeterId;
}
