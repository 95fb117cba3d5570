using StripeMeter.Kits.Simulated.Billing;
using StripeMeter.Kits.Simulated.Database;
using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Simulation.Stripe;

/// <summary>
/// Counters that move, two raisers, two pushers, whoever hears Stripe's notices and whoever compares totals, over one
/// simulated database and two simulated Stripe accounts: a live one and a test one. Runs while between any two steps
/// something may go wrong; then without faults until nothing is left to do.
/// </summary>
internal sealed class StripeWorld
{
    public static readonly TenantId Tenant = new("acme");
    private const int FaultSteps = 2_500;
    private const int LongestRestSteps = 150_000;
    private const int StepsBetweenLooks = 20;

    /// <summary>Faults that are not of a port: they are drawn between steps.</summary>
    private static readonly Fault[] BetweenSteps =
        [Fault.PusherCrash, Fault.HelperCrash, Fault.TimePasses, Fault.DaysPass, Fault.KeyRevoked, Fault.Outage, Fault.WriteRolledBack];

    /// <summary>How meters are told; legacy items take whole units only, so they never come to agree.</summary>
    private static readonly SinkKind[] MeterSinks = [SinkKind.Deltas, SinkKind.HourTotals, SinkKind.DayTotals, SinkKind.RunningTotal];

    private readonly SeededScheduler _scheduler;
    private readonly FaultDice _dice;
    private readonly SimulatedNetwork _network;
    private readonly Pushers _pushers;
    private readonly Helpers _helpers;
    private readonly bool _changesAnchors;
    private bool _isResting;

    public StripeWorld(int seed, StripeVariant variant)
    {
        var random = new Random(seed);
        _dice = FaultDice.Draw(random, Tally, BetweenSteps);
        _scheduler = new SeededScheduler(random, Instant.OfDate(2026, 2, 1) + TimeSpan.FromHours(random.Next(48)));
        _network = new SimulatedNetwork(_scheduler, _dice);
        Database = new SimulatedDatabase(_network, new DatabaseRules(), newTenantShards: 1);
        Variant = variant;
        Whole = new PushRules { Carry = random.Next(4) == 0 ? CarryPolicy.AlertOnly : CarryPolicy.NextPeriod };
        Rules = variant.Rules(Whole);
        Meter = new MeterNames("calls", "stripe_customer_id", "value")
        {
            Sink = random.Next(3) == 0 ? MeterSinks[random.Next(MeterSinks.Length)] : SinkKind.Deltas,
        };
        _changesAnchors = random.Next(2) == 0;
        Invoices = new Invoices(_dice, Rules.Grace);
        Accounts =
        [
            new SimulatedAccount(_network, "acct_live", true, Periods.EverOf, Invoices.FinalOf) { UnknownCustomer = Customers.Unknown },
            new SimulatedAccount(_network, "acct_test", false, Periods.EverOf, Invoices.FinalOf) { UnknownCustomer = Customers.Unknown },
        ];
        Customers = new Customers(_dice, Periods, () => Now);
        _pushers = new Pushers(this, random);
        _helpers = new Helpers(this);
        foreach (var worker in Workers)
            worker.Start();
    }

    public StripeVariant Variant { get; }

    public Tally Tally { get; } = new();

    public SimulatedDatabase Database { get; }

    public SimulatedNetwork Network => _network;

    public ShortPeriods Periods { get; } = new();

    public PushRules Rules { get; }

    /// <summary>The same with every rule, whatever the variant takes away.</summary>
    public PushRules Whole { get; }

    /// <summary>The meter of this run: mostly one of differences, which is where most may go wrong.</summary>
    public MeterNames Meter { get; }

    public Invoices Invoices { get; }

    public IReadOnlyList<SimulatedAccount> Accounts { get; }

    public Customers Customers { get; }

    public IReadOnlyCollection<DeltaDocument> Documents => Database.DeltasOf(Tenant);

    public IEnumerable<Worker> Workers => [.. _pushers.Workers, .. _helpers.Workers];

    public Instant Now => Instant.Of(_scheduler.Clock.GetUtcNow());

    public long Steps => _scheduler.Steps;

    public bool IsResting => _isResting;

    /// <summary>Nothing is due, in doubt, or on its way.</summary>
    public bool IsQuiet => Customers.Dirty.Count == 0
        && Documents.All(IsAtRest)
        && Accounts.All(account => account.Reports.Count == 0 && account.Events.All(taken => taken.Visible <= Now));

    /// <summary>The rules as a process runs them.</summary>
    public PushProtocol Protocol => new(Rules, () => _dice.Next(1_001), Variant.Settling(Rules), new PeriodEnds(Rules, ShortPeriods.Following));

    /// <summary>The delta ledger as a process has it.</summary>
    public IDeltaLedger DeltasOf(SimulatedProcess process, TimeProvider clock) =>
        Variant.Deltas(new SimulatedStore(Database, process, clock).Of(Tenant).Deltas);

    /// <summary>Runs until there is nothing left to do. False if that does not come about.</summary>
    public bool Run()
    {
        while (_scheduler.Steps < FaultSteps)
        {
            Disturb();
            _scheduler.RunOne();
        }

        _dice.Cease();
        foreach (var account in Accounts)
            account.Restore();
        _isResting = true;
        return RunUntil(() => IsQuiet && (!Variant.Audits || _helpers.HasFoundNothing));
    }

    /// <summary>What is still to do.</summary>
    public string Unrest() => string.Join("; ",
    [
        $"{Customers.Dirty.Count} counters are marked at {Now}",
        $"{Accounts.Sum(account => account.Reports.Count)} reports are not delivered",
        .. _helpers.Doubts,
        .. Documents.Where(document => !IsAtRest(document)).Select(document =>
            $"{document.Key.StripeCustomer} of {document.Key.Account} is due {document.Due}, has {document.Open?.State} open and looks for {document.Checking.Count}: {document.Problem}"),
    ]);

    /// <summary>Nothing is to be done, or only by a human: what Stripe does not know is carried from period to period for ever.</summary>
    private static bool IsAtRest(DeltaDocument document) =>
        document is { Open: null, Checking.Count: 0 }
        && (document.Due is null || (document.ParkedSince is not null && document.Key.StripeCustomer == Customers.Unknown));

    private bool RunUntil(Func<bool> isOver)
    {
        var last = _scheduler.Steps + LongestRestSteps;
        for (var step = 1; _scheduler.Steps < last && _scheduler.RunOne(); step++)
        {
            if (step % StepsBetweenLooks == 0 && isOver())
                return true;
        }

        return isOver();
    }

    private void Disturb()
    {
        if (_dice.Next(25) == 0)
            Customers.Count();
        if (_dice.Next(400) == 0)
            Customers.Move();
        if (_changesAnchors && _dice.Next(400) == 0)
            Customers.Cut();
        if (_dice.Strikes(Fault.TimePasses))
            _scheduler.Advance(_dice.Delay(TimeSpan.FromMinutes(90)));
        if (_dice.Strikes(Fault.DaysPass))
            _scheduler.Advance(DrawDays());
        if (_dice.Strikes(Fault.KeyRevoked))
            Accounts[_dice.Next(Accounts.Count)].RevokeKey(_dice.Delay(TimeSpan.FromHours(30)));
        if (_dice.Strikes(Fault.Outage))
            Accounts[_dice.Next(Accounts.Count)].Disconnect(_dice.Delay(TimeSpan.FromHours(30)));
        if (_dice.Strikes(Fault.PusherCrash))
            _pushers.CrashOne();
        if (_dice.Strikes(Fault.HelperCrash))
            _helpers.CrashOne();
        if (Database.HasUnreplicatedWrites && _dice.Strikes(Fault.WriteRolledBack))
            Database.Elect();
    }

    /// <summary>
    /// Hours or days; often until shortly before an invoice becomes final, or nearly as long as an identifier protects,
    /// where most is at stake.
    /// </summary>
    private TimeSpan DrawDays()
    {
        var period = Periods.PeriodOf(Now - Rules.Grace);
        var left = period.End + Rules.Grace - _dice.Delay(TimeSpan.FromMinutes(20)) - Now;
        return _dice.Next(3) switch
        {
            0 when left > TimeSpan.Zero => left,
            1 => Rules.ResendWindow - _dice.Delay(TimeSpan.FromHours(3)),
            _ => _dice.Delay(TimeSpan.FromHours(60)),
        };
    }
}
