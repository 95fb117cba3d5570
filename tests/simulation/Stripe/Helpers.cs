using StripeMeter.Kits.Simulated.Database;
using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Reconciling;
using StripeMeter.Metering.Time;

namespace StripeMeter.Simulation.Stripe;

/// <summary>Two raisers of targets, one who hears Stripe's notices, and one who compares totals.</summary>
internal sealed class Helpers
{
    private readonly StripeWorld _world;
    private readonly Worker[] _workers;

    public Helpers(StripeWorld world)
    {
        _world = world;
        _workers =
        [
            new Worker(world.Network, RaiseAsync, () => Pause(seconds: 30)),
            new Worker(world.Network, RaiseAsync, () => Pause(seconds: 30)),
            new Worker(world.Network, HearAsync, () => Pause(seconds: 120)),
            new Worker(world.Network, CompareAsync, () => Pause(seconds: 7_200)),
        ];
    }

    public IReadOnlyList<Worker> Workers => _workers;

    /// <summary>The last comparison began when the faults were over and all was quiet, and raised no doubt.</summary>
    public bool HasFoundNothing { get; private set; }

    /// <summary>What the last comparison could not say yes to.</summary>
    public IReadOnlyList<string> Doubts { get; private set; } = [];

    public void CrashOne() => _workers[_world.Network.Dice.Next(_workers.Length)].Crash();

    private TimeSpan Pause(int seconds) =>
        _world.IsResting ? TimeSpan.FromHours(1) : _world.Network.Dice.Delay(TimeSpan.FromSeconds(seconds));

    private async Task RaiseAsync(SimulatedProcess process, TimeProvider clock)
    {
        var deltas = new SimulatedStore(_world.Database, process, clock).Of(StripeWorld.Tenant).Deltas;
        var raiser = new ContributionRaiser(deltas, _world.Protocol, clock);
        foreach (var name in _world.Customers.Dirty.ToArray())
        {
            var counter = _world.Customers.Counters[name];
            var customer = _world.Customers.CustomerOf(name.Reference);
            var raised = new RaisedContribution(name.Period, counter, _world.Meter, Instant.Minimum);
            foreach (var account in _world.Accounts.Where(account => account.Livemode || Customers.IsShadowed(name.Reference)))
            {
                var key = new DeltaKey(account.Name, account.Livemode, "mtr_" + account.Name, customer);
                await raiser.RaiseAsync(key, [raised], CancellationToken.None).ConfigureAwait(false);
            }

            _world.Customers.Raised(name, counter, customer);
        }
    }

    private async Task HearAsync(SimulatedProcess process, TimeProvider clock)
    {
        var store = new SimulatedStore(_world.Database, process, clock);
        var reports = new ErrorReports(store, _world.Protocol, clock);
        var deadlines = new InvoiceDeadlines(store, _world.Protocol, clock);
        foreach (var account in _world.Accounts)
        {
            foreach (var report in account.Reports.Where(report => report.Due <= _world.Now).ToArray())
            {
                if (_world.Variant.HearsReports)
                    await reports.EnterAsync(report.Identifier, "dropped", CancellationToken.None).ConfigureAwait(false);
                account.Reports.Remove(report);
            }
        }

        foreach (var invoice in _world.Invoices.Events.Where(invoice => invoice.Period.End <= _world.Now).ToArray())
        {
            foreach (var account in _world.Accounts)
            {
                await deadlines.EnterAsync(
                    new AccountMode(account.Name, account.Livemode), new BilledLine(invoice.Customer, null, invoice.Period),
                    new InvoiceEnd("in_1", invoice.Final, _world.Now), CancellationToken.None).ConfigureAwait(false);
            }

            _world.Invoices.Events.Remove(invoice);
        }
    }

    private async Task CompareAsync(SimulatedProcess process, TimeProvider clock)
    {
        if (!_world.Variant.Audits)
            return;
        var deltas = new SimulatedStore(_world.Database, process, clock).Of(StripeWorld.Tenant).Deltas;
        var wasQuiet = _world.IsResting && _world.IsQuiet;
        var doubts = new List<string>();
        foreach (var document in _world.Documents.ToArray())
        {
            var account = _world.Accounts.Single(account => account.Name == document.Key.Account);
            var audit = new PeriodAudit(deltas, account.For(process, clock), _world.Protocol, clock);
            foreach (var delta in document.Periods)
            {
                var finding = await audit.AuditAsync(document.Key, delta.Period.Start, CancellationToken.None).ConfigureAwait(false);
                if (finding is null or { Agreement: Agreement.Unknown or Agreement.MayLag } or { Doubted: > 0 })
                    doubts.Add($"{document.Key.StripeCustomer} of {account.Name} from {delta.Period.Start}: {finding?.Agreement.ToString() ?? "changed"}");
            }
        }

        Doubts = doubts;
        HasFoundNothing = wasQuiet && _world.IsQuiet && doubts.Count == 0;
    }
}
