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
internal sealed class Customers(FaultDice dice, ShortPeriods periods, Func<Instant> now)
{
    public const string Metric = "calls";

    /// <summary>A customer that Stripe does not know.</summary>
    public const string Unknown = "cus_unknown";

    private const string ReferenceOfUnknown = "u";
    private static readonly string[] References = ["a", "b", "c"];
    private static readonly string[] StripeCustomers = ["cus_1", "cus_2"];
    private static readonly TimeSpan LatestEvent = TimeSpan.FromHours(40);
    private static readonly TimeSpan LatestCut = TimeSpan.FromHours(3);
    private readonly Dictionary<CounterName, Contribution> _counters = [];
    private readonly HashSet<CounterName> _dirty = [];
    private readonly List<Instant> _changes = [];
    private readonly List<Instant> _returns = [];
    private readonly List<CountedChange> _counted = [];
    private long _position;
    private long _recut;

    private readonly Dictionary<string, string> _customers =
        References.Append(ReferenceOfUnknown).ToDictionary(
            reference => reference, reference => reference == ReferenceOfUnknown ? Unknown : StripeCustomers[0], StringComparer.Ordinal);

    public IReadOnlyDictionary<CounterName, Contribution> Counters => _counters;

    /// <summary>Counters whose document does not know their present state, or may not.</summary>
    public IReadOnlyCollection<CounterName> Dirty => _dirty;

    /// <summary>When the mapping was changed so that what is parked is tried again.</summary>
    public IReadOnlyList<Instant> Changes => _changes;

    /// <summary>When a reference came to the customer that Stripe does not know: what was parked there may have been freed when one left.</summary>
    public IReadOnlyList<Instant> Returns => _returns;

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
        var name = new CounterName(reference, periods.PeriodOf(instant));
        var before = _counters.GetValueOrDefault(name);
        var change = dice.Next(8) switch
        {
            0 => Quantity.Parse("-3.5"),
            1 => Quantity.Parse("999999999999.999999"),
            2 => Quantity.Parse("0.000000000001"),
            3 when before is { } => -before.Value,
            _ => Quantity.FromInteger(1 + dice.Next(100)),
        };
        var counted = new CountedChange(reference, instant, change);
        _counted.Add(counted);
        Put(name, Counted(before ?? Nothing(reference), counted) with { Version = new CounterVersion(before?.Version.RecutPosition ?? _recut, ++_position) });
    }

    /// <summary>
    /// The period that runs ends shortly before now, or had ended so when it becomes known: what is counted there is counted
    /// anew, and a period that is none any more is left with nothing.
    /// </summary>
    public void Cut()
    {
        var at = (now() - (dice.Next(2) == 0 ? TimeSpan.Zero : dice.Delay(LatestCut))).ToMinute();
        var cut = periods.PeriodOf(at);
        if (at <= cut.Start)
            return;
        periods.Cut(at);
        _recut = ++_position;
        foreach (var name in _counters.Keys.Where(name => name.Period.End > cut.Start).ToArray())
        {
            var present = periods.PeriodOf(name.Period.Start);
            _counters.Remove(name);
            _dirty.Remove(name);
            Put(name with { Period = present.Start == name.Period.Start ? present : name.Period }, Nothing(name.Reference));
        }

        foreach (var counted in _counted.Where(counted => counted.At >= cut.Start))
        {
            var name = new CounterName(counted.Reference, periods.PeriodOf(counted.At));
            Put(name, Counted(_counters.GetValueOrDefault(name) ?? Nothing(counted.Reference), counted));
        }

        dice.Tally.Note(Situation.PeriodsCut);
    }

    /// <summary>A reference goes to a Stripe customer; its counters are marked, as a changed mapping does.</summary>
    public void Move()
    {
        var isUnknown = dice.Next(8) == 0;
        var customer = isUnknown && dice.Next(3) == 0 ? Unknown : StripeCustomers[dice.Next(StripeCustomers.Length)];
        Move(isUnknown ? ReferenceOfUnknown : References[dice.Next(References.Length)], customer);
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

    private Contribution Nothing(string reference) =>
        new(Metric, reference, Quantity.Zero, new CounterVersion(_recut, _position), "log", default);

    private static Contribution Counted(Contribution before, CountedChange counted) =>
        before with { Value = before.Value + counted.Change, Newest = Instant.Max(before.Newest, counted.At) };

    private void Put(CounterName name, Contribution counter)
    {
        _counters[name] = counter;
        _dirty.Add(name);
    }

    /// <summary>Clears a mark, if the counter and its mapping are still what was raised.</summary>
    public void Raised(CounterName name, Contribution raised, string customer, Instant mapped)
    {
        if (!_counters.TryGetValue(name, out var counter))
            return;
        if (counter.Version == raised.Version && _customers[name.Reference] == customer && Mapped == mapped)
            _dirty.Remove(name);
        else
            _dirty.Add(name);
    }

    private void Move(string reference, string customer)
    {
        _customers[reference] = customer;
        if (customer == Unknown)
            _returns.Add(now());
        _dirty.UnionWith(_counters.Keys.Where(name => name.Reference == reference));
    }

    private sealed record CountedChange(string Reference, Instant At, Quantity Change);
}
