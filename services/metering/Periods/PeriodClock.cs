using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Periods;

/// <summary>
/// Says which billing period of a customer an instant falls in. Customers have calendar months in UTC until they are
/// anchored elsewhere. Nothing else computes months. Not thread safe.
/// </summary>
public class PeriodClock
{
    private readonly Dictionary<string, AnchorHistory> _anchored = [];

    /// <summary>Calendar months in UTC for every customer.</summary>
    public static PeriodClock CalendarMonths => new();

    public virtual BillingPeriod PeriodOf(string customer, Instant instant) => HistoryOf(customer).PeriodOf(instant);

    public AnchorHistory HistoryOf(string customer) => _anchored.GetValueOrDefault(customer, AnchorHistory.Calendar);

    /// <summary>Takes over a change of an anchor. Changes are taken over in the order of their positions.</summary>
    /// <returns>From which start of a period on the customer's periods may be others now.</returns>
    public Instant Change(in Countable change)
    {
        var history = HistoryOf(change.Customer).With(change);
        _anchored[change.Customer] = history;
        return history.LastRecutFrom;
    }

    /// <summary>The clock of a shard as its log has it up to a position: one read if no customer was ever anchored elsewhere.</summary>
    public static async Task<PeriodClock> ReadAsync(ILedger ledger, int shard, long upTo, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        var clock = new PeriodClock();
        var after = 0L;
        while (true)
        {
            var page = await ledger.ReadControlsAsync(shard, RecordKind.AnchorChanged, after, PageChanges, cancellation).ConfigureAwait(false);
            foreach (var change in page.TakeWhile(change => change.Position <= upTo))
                clock.Change(change);
            if (page.Count < PageChanges || page[^1].Position >= upTo)
                return clock;
            after = page[^1].Position;
        }
    }

    private const int PageChanges = 1_000;
}
