using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Time;

namespace StripeMeter.Simulation.Stripe;

/// <summary>When invoices become final: after the usual grace, or later where an invoice event says so.</summary>
internal sealed class Invoices(FaultDice dice, TimeSpan grace)
{
    private static readonly TimeSpan LongGrace = TimeSpan.FromHours(9);
    private readonly Dictionary<(string Customer, BillingPeriod Period), Instant> _finals = [];

    /// <summary>Invoices with a grace of their own whose event was not delivered yet.</summary>
    public List<(string Customer, BillingPeriod Period, Instant Final)> Events { get; } = [];

    public Instant FinalOf(string customer, BillingPeriod period)
    {
        if (_finals.TryGetValue((customer, period), out var known))
            return known;
        var isLong = dice.Next(3) == 0;
        var final = period.End + (isLong ? LongGrace : grace);
        _finals.Add((customer, period), final);
        if (isLong && !dice.Strikes(Fault.InvoiceEventLost))
            Events.Add((customer, period, final));
        return final;
    }
}
