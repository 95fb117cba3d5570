using StripeMeter.Kits.Simulated.Database;
using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Reconciling;

namespace StripeMeter.Simulation.Stripe;

/// <summary>Two raisers of targets, one who hears Stripe's notices, one who compares totals, and a human who looks after what is parked.</summary>
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
            new Worker(world.Network, LookAfterAsync, () => Pause(seconds: 21_600)),
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
        var deltas = _world.DeltasOf(process, clock);
        var raiser = new ContributionRaiser(deltas, _world.Protocol, clock);
        foreach (var name in _world.Customers.Dirty.ToArray())
        {
            // Since it was marked its period may have been cut, and bear another name.
            if (!_world.Customers.Counters.TryGetValue(name, out var counter))
                continue;
            var (customer, mapped) = (_world.Customers.CustomerOf(name.Reference), _world.Customers.Mapped);
            var raised = new RaisedContribution(name.Period, counter, _world.Meter, mapped);
            foreach (var account in _world.Accounts.Where(account => account.Livemode || Customers.IsShadowed(name.Reference)))
            {
                var key = new DeltaKey(account.Name, account.Livemode, "mtr_" + account.Name, customer);
                await raiser.RaiseAsync(key, [raised], CancellationToken.None).ConfigureAwait(false);
            }

            _world.Customers.Raised(name, counter, customer, mapped);
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
                    new InvoiceEnd("in_1", invoice.Final, _world.Now), [], CancellationToken.None).ConfigureAwait(false);
            }

            _world.Invoices.Events.Remove(invoice);
        }
    }

    private async Task CompareAsync(SimulatedProcess process, TimeProvider clock)
    {
        if (!_world.Variant.Audits)
            return;
        var deltas = _world.DeltasOf(process, clock);
        var wasQuiet = _world.IsResting && _world.IsQuiet;
        var doubts = new List<string>();
        foreach (var document in _world.Documents.ToArray())
        {
            var account = _world.Accounts.Single(account => account.Name == document.Key.Account);
            var audit = new PeriodAudit(deltas, account.For(process, clock), _world.Protocol, clock);
            foreach (var delta in document.Present)
            {
                var finding = await audit.AuditAsync(document.Key, delta.Period.Start, CancellationToken.None).ConfigureAwait(false);
                if (finding is not null && _world.Variant.Compared(document, finding) is var changed && !ReferenceEquals(changed, document))
                    await deltas.SaveAsync(changed, CancellationToken.None).ConfigureAwait(false);
                if (finding is null or { Agreement: Agreement.Unknown or Agreement.MayLag } or { Doubted: > 0 })
                    doubts.Add($"{document.Key.StripeCustomer} of {account.Name} from {delta.Period.Start}: {finding?.Agreement.ToString() ?? "changed"}");
            }
        }

        Doubts = doubts;
        HasFoundNothing = wasQuiet && _world.IsQuiet && doubts.Count == 0;
    }

    private Task LookAfterAsync(SimulatedProcess process, TimeProvider clock)
    {
        // In the end nobody hopes any more that Stripe comes to know a customer.
        var parked = _world.Documents.FirstOrDefault(document =>
            document is { ParkedSince: not null, Due: not null } && (!_world.IsResting || document.Key.StripeCustomer != Customers.Unknown));
        if (parked is not null)
            _world.Customers.TryAgain(parked);
        return Task.CompletedTask;
    }
}
