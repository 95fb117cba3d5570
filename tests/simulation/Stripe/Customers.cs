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

    /// <summary>A customer that Stripe does not know.</summary>
    public const string Unknown = "cus_unknown";

    private const string ReferenceOfUnknown = "u";
    private static readonly string[] References = ["a", "b", "c"];
    private static readonly string[] StripeCustomers = ["cus_1", "cus_2"];
    private static readonly TimeSpan LatestEvent = TimeSpan.FromHours(40);
    private readonly Dictionary<CounterName, Contribution> _counters = [];
    private readonly HashSet<CounterName> _dirty = [];
    private readonly List<Instant> _changes = [];

    private readonly Dictionary<string, string> _customers =
        References.Append(ReferenceOfUnknown).ToDictionary(
            reference => reference, reference => reference == ReferenceOfUnknown ? Unknown : StripeCustomers[0], StringComparer.Ordinal);

    public IReadOnlyDictionary<CounterName, Contribution> Counters => _counters;

    /// <summary>Counters whose document does not know their present state, or may not.</summary>
    public IReadOnlyCollection<CounterName> Dirty => _dirty;

    /// <summary>When the mapping was changed so that what is parked is tried again.</summary>
    public IReadOnlyList<Instant> Changes => _changes;

    /// <summary>When the mapping was changed last.</summary>
    public Instant Mapped => _changes.Count == 0 ? Instant.Minimum : _changes[^1];

    public string CustomerOf(string reference) => _customers[reference];

    /// <summary>Whether the counters of a reference are told to the test account too.</summary>
    public static bool IsShadowed(string reference) => reference == References[0];

    /// <summary>A counter moves, as an event, an approval or a correction may make it.</summary>
    public void Count()
    {
        var reference = dice.Next(10) == 0 ? ReferenceOfUnknown : References[dice.Next(References.Length)];
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
        Move(References[dice.Next(References.Length)], StripeCustomers[dice.Next(StripeCustomers.Length)]);
        dice.Tally.Note(Situation.ReferenceMoved);
    }

    /// <summary>What a human does about a parked document: gives it a reference, should it have none left, and changes the mapping.</summary>
    public void TryAgain(DeltaDocument parked)
    {
        var references = parked.Periods.SelectMany(delta => delta.Contributions).Select(contribution => contribution.Customer).ToList();
        if (references.All(reference => _customers[reference] != parked.Key.StripeCustomer))
            Move(references[0], parked.Key.StripeCustomer);
        _changes.Add(now());
        _dirty.UnionWith(_counters.Keys);
        dice.Tally.Note(Situation.MappingChanged);
    }

    /// <summary>Clears a mark, if the counter and its mapping are still what was raised.</summary>
    public void Raised(CounterName name, Contribution raised, string customer, Instant mapped)
    {
        if (_counters[name].Version == raised.Version && _customers[name.Reference] == customer && Mapped == mapped)
            _dirty.Remove(name);
        else
            _dirty.Add(name);
    }

    private void Move(string reference, string customer)
    {
        _customers[reference] = customer;
        _dirty.UnionWith(_counters.Keys.Where(name => name.Reference == reference));
    }
}
