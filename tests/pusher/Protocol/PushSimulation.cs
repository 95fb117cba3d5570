using System.Globalization;
using Microsoft.Extensions.Time.Testing;
using StripeMeter.Kits.Pushing;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Pusher.Tests.Protocol;

/// <summary>
/// Counters that move, references that change their Stripe customer, two raisers and two pushers that crash, and a Stripe
/// that fails: one schedule per seed. When the faults stop, Stripe must have exactly what was counted.
/// </summary>
internal sealed class PushSimulation
{
    private const int Steps = 1_500;
    private const int SettlingRounds = 400;
    private static readonly MeterNames Meter = new("api_calls", "stripe_customer_id", "value");
    private static readonly string[] References = ["a", "b", "c"];
    private static readonly string[] StripeCustomers = ["cus_1", "cus_2"];

    private static readonly BillingPeriod[] Periods =
    [
        new(Instant.OfDate(2026, 2, 1), Instant.OfDate(2026, 3, 1)), new(Instant.OfDate(2026, 3, 1), Instant.OfDate(2026, 4, 1)),
    ];

    private readonly Random _random;
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 3, 1, 0, 0, 30, TimeSpan.Zero));
    private readonly Turns _turns;
    private readonly SimulatedDeltaLedger _ledger;
    private readonly SimulatedStripe _stripe;
    private readonly Dictionary<(string Reference, BillingPeriod Period), Contribution> _counters = [];
    private readonly Dictionary<string, string> _mapped = References.ToDictionary(reference => reference, _ => StripeCustomers[0]);
    // Refusals come at random here; parking has tests of its own.
    private readonly PushRules _rules = new() { MaximumRejections = int.MaxValue, Grace = TimeSpan.FromDays(300) };
    private readonly List<SimulatedProcess> _processes = [];
    private readonly TimeSpan _longestJump;
    private bool _isSettling;

    /// <param name="seed">Decides everything.</param>
    /// <param name="faultPercent">How often something goes wrong.</param>
    /// <param name="longestJump">How far the clock jumps at most.</param>
    public PushSimulation(int seed, int faultPercent, TimeSpan longestJump)
    {
        _random = new Random(seed);
        _longestJump = longestJump;
        _turns = new Turns(_random);
        _ledger = new SimulatedDeltaLedger(() => Task.CompletedTask);
        _stripe = new SimulatedStripe(
            _random, () => Now, key => _ledger.Documents.SingleOrDefault(document => document.Key == key)) { FaultPercent = faultPercent };
    }

    private Instant Now => Instant.Of(_clock.GetUtcNow());

    public IReadOnlyCollection<DeltaDocument> Documents => _ledger.Documents;

    public SimulatedStripe Stripe => _stripe;

    public IReadOnlyCollection<(DeltaKey Key, PushIntent Intent)> Closed => _ledger.Closed;

    public void Run()
    {
        for (var process = 0; process < 4; process++)
            Start(pushes: process % 2 == 0);
        for (var step = 0; step < Steps; step++)
        {
            Disturb();
            _turns.Step();
            Fail();
        }

        Settle();
    }

    /// <summary>What was counted is at Stripe, in its period, once.</summary>
    public void AssertBalanced()
    {
        foreach (var period in Periods)
        {
            var counted = _counters.Where(counter => counter.Key.Period == period)
                .Aggregate(Quantity.Zero, (sum, counter) => sum + counter.Value.Value);
            var told = StripeCustomers.Aggregate(Quantity.Zero, (sum, customer) => sum + _stripe.Sum(customer, period.Start, period.End));
            Assert.Equal(counted, told);
        }

        foreach (var document in Documents)
        {
            Assert.Null(document.Due);
            Assert.Null(document.BehindSince);
            foreach (var delta in document.Periods)
            {
                Assert.Equal(delta.Expected, delta.Accepted);
                Assert.Equal(delta.Accepted, _stripe.Sum(document.Key.StripeCustomer, delta.Period.Start, delta.Period.End));
            }
        }
    }

    /// <summary>The history tells of every event that Stripe took, and of none twice.</summary>
    public void AssertHistory()
    {
        var accepted = Closed.GroupBy(closed => closed.Intent.Identifier).Select(same => same.MaxBy(closed => closed.Intent.Closing).Intent)
            .Where(intent => intent.State is IntentState.Accepted or IntentState.Confirmed).Select(intent => intent.Identifier);
        Assert.Equal(_stripe.Events.Select(taken => taken.Intent.Identifier).Order(), accepted.Order());
    }

    private void Disturb()
    {
        switch (_random.Next(12))
        {
            case 0:
                Count();
                break;
            case 1:
                _clock.Advance(TimeSpan.FromSeconds(_random.Next(1, 70)));
                break;
            case 2 when _random.Next(20) == 0:
                _mapped[References[_random.Next(References.Length)]] = StripeCustomers[_random.Next(StripeCustomers.Length)];
                break;
            case 3 when _random.Next(30) == 0:
                _clock.Advance(TimeSpan.FromSeconds(_random.Next((int)_longestJump.TotalSeconds)));
                break;
            case 4 when _random.Next(6) == 0:
                var index = _random.Next(_processes.Count);
                _turns.Crash(_processes[index]);
                _processes.RemoveAt(index);
                Start(pushes: index % 2 == 0);
                break;
        }
    }

    /// <summary>A counter moves: mostly up, sometimes down, as a recount may find.</summary>
    private void Count()
    {
        var key = (References[_random.Next(References.Length)], Periods[_random.Next(Periods.Length)]);
        var before = _counters.GetValueOrDefault(key);
        var change = _random.Next(6) switch
        {
            0 => Quantity.Parse("-3.5"),
            1 => Quantity.Parse("999999999999.999999"),
            2 => Quantity.Parse("0.000000000001"),
            _ => Quantity.FromInteger(_random.Next(1, 100)),
        };
        var version = new CounterVersion(0, (before?.Version.Position ?? 0) + 1);
        var newest = Instant.Max(before?.Newest ?? key.Item2.Start, Instant.Min(Now, key.Item2.End - TimeSpan.FromSeconds(1)));
        _counters[key] = new Contribution(key.Item1, key.Item1, (before?.Value ?? Quantity.Zero) + change, version, "log", newest);
    }

    private void Start(bool pushes)
    {
        var process = new SimulatedProcess();
        _processes.Add(process);
        Task Turn() => _isSettling ? Task.CompletedTask : _turns.WaitAsync(process);
        var protocol = new PushProtocol(_rules, () => _random.Next(1_001));
        process.Work = pushes
            ? PushAsync(Turn, new DeltaPusher(_ledger.SeenBy(Turn), _stripe.For(Turn), protocol, _clock, Nonce))
            : RaiseAsync(Turn, new ContributionRaiser(_ledger.SeenBy(Turn), protocol, _clock));
    }

    private async Task PushAsync(Func<Task> turn, DeltaPusher pusher)
    {
        while (!_isSettling)
        {
            await turn();
            if (Documents.Count > 0)
                await pusher.DriveAsync(Documents.ElementAt(_random.Next(Documents.Count)).Key, CancellationToken.None);
        }
    }

    private async Task RaiseAsync(Func<Task> turn, ContributionRaiser raiser)
    {
        while (!_isSettling)
        {
            await turn();
            if (_counters.Count > 0)
                await RaiseAsync(raiser, _counters.ElementAt(_random.Next(_counters.Count)));
        }
    }

    private async Task RaiseAsync(
        ContributionRaiser raiser, KeyValuePair<(string Reference, BillingPeriod Period), Contribution> counter)
    {
        var key = new DeltaKey("acct_1", false, "mtr_1", _mapped[counter.Key.Reference]);
        try
        {
            await raiser.RaiseAsync(key, [new RaisedContribution(counter.Key.Period, counter.Value, Meter, Now)], CancellationToken.None);
        }
        catch (Metering.Ledger.StoreUnavailableException) when (!_isSettling)
        {
            // Its mark stays, and it is raised again.
        }
    }

    private UInt128 Nonce() => (UInt128)(ulong)_random.NextInt64();

    private void Fail()
    {
        foreach (var process in _processes)
        {
            if (process.Work.Exception is { } failure)
                throw failure;
        }
    }

    /// <summary>No more faults: everything is raised once more, and one pusher drives what is due.</summary>
    private void Settle()
    {
        foreach (var process in _processes)
            _turns.Crash(process);
        _processes.Clear();
        (_isSettling, _stripe.FaultPercent) = (true, 0);
        _clock.Advance(_rules.LongestRetry);
        var protocol = new PushProtocol(_rules, () => 0);
        Complete(RaiseAllAsync(new ContributionRaiser(_ledger, protocol, _clock)));
        var pusher = new DeltaPusher(_ledger, _stripe.For(() => Task.CompletedTask), protocol, _clock, Nonce);
        for (var round = 0; round < SettlingRounds && Documents.Any(document => document.Due is not null); round++)
        {
            var due = Documents.Min(document => document.Due ?? Instant.Maximum);
            _clock.Advance(TimeSpan.FromTicks(Math.Max(TimeSpan.FromSeconds(61).Ticks, (due - Now).Ticks)));
            foreach (var document in Documents)
                Complete(pusher.DriveAsync(document.Key, CancellationToken.None));
        }
    }

    private async Task RaiseAllAsync(ContributionRaiser raiser)
    {
        foreach (var counter in _counters)
            await RaiseAsync(raiser, counter);
    }

    private static void Complete(Task task)
    {
        if (task.Exception is { } failure)
            throw failure;
        Assert.True(task.IsCompletedSuccessfully, string.Create(CultureInfo.InvariantCulture, $"The task is {task.Status}."));
    }
}
