using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Simulation.Stripe;

/// <summary>One counter: a customer reference in a period.</summary>
internal readonly record struct CounterName(string Reference, BillingPeriod Period);

/// <summary>What is counted, and whose it is: counters move mostly up, and references change their Stripe customer.</summary>
internal sealed class Customers(FaultDice dice, PeriodClock periods, Func<Instant> now)
{
    public const string Metric = "calls";
    private static readonly string[] References = ["a", "b", "c"];
    private static readonly string[] StripeCustomers = ["cus_1", "cus_2"];
    private static readonly TimeSpan LatestEvent = TimeSpan.FromHours(40);
    private readonly Dictionary<CounterName, Contribution> _counters = [];
    private readonly HashSet<CounterName> _dirty = [];

    private readonly Dictionary<string, string> _customers =
        References.ToDictionary(reference => reference, _ => StripeCustomers[0], StringComparer.Ordinal);

    public IReadOnlyDictionary<CounterName, Contribution> Counters => _counters;

    /// <summary>Counters whose document does not know their present state, or may not.</summary>
    public IReadOnlyCollection<CounterName> Dirty => _dirty;

    public string CustomerOf(string reference) => _customers[reference];

    /// <summary>Whether the counters of a reference are told to the test account too.</summary>
    public static bool IsShadowed(string reference) => reference == References[0];

    /// <summary>A counter moves, as an event, an approval or a correction may make it.</summary>
    public void Count()
    {
        var reference = References[dice.Next(References.Length)];
        var instant = now() - dice.Delay(LatestEvent);
        var name = new CounterName(reference, periods.PeriodOf(reference, instant));
        var before = _counters.GetValueOrDefault(name);
        var change = dice.Next(8) switch
        {
            0 => Quantity.Parse("-3.5"),
            1 => Quantity.Parse("999999999999.999999"),
            2 => Quantity.Parse("0.000000000001"),
            3 when before is { } => -before.Value,
            _ => Quantity.FromInteger(1 + dice.Next(100)),
        };
        _counters[name] = new Contribution(
            Metric, reference, (before?.Value ?? Quantity.Zero) + change,
            new CounterVersion(0, (before?.Version.Position ?? 0) + 1), "log", Instant.Max(before?.Newest ?? instant, instant));
        _dirty.Add(name);
    }

    /// <summary>A reference goes to a Stripe customer; its counters are marked, as a changed mapping does.</summary>
    public void Move()
    {
        var reference = References[dice.Next(References.Length)];
        _customers[reference] = StripeCustomers[dice.Next(StripeCustomers.Length)];
        dice.Tally.Note(Situation.ReferenceMoved);
        _dirty.UnionWith(_counters.Keys.Where(name => name.Reference == reference));
    }

    /// <summary>Clears a mark, if the counter and its mapping are still what was raised.</summary>
    public void Raised(CounterName name, Contribution raised, string customer)
    {
        if (_counters[name].Version == raised.Version && _customers[name.Reference] == customer)
            _dirty.Remove(name);
        else
            _dirty.Add(name);
    }
}
