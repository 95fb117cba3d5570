using StripeMeter.Kits.Simulated.Billing;
using StripeMeter.Kits.Simulated.Database;
using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;

namespace StripeMeter.Simulation.Stripe;

/// <summary>Compares what a run left behind with what must be true.</summary>
internal sealed class StripeChecks(StripeWorld world)
{
    private readonly PeriodEnds _ends = world.Protocol.Ends;

    /// <summary>What every intent came to, by identifier.</summary>
    private readonly Dictionary<string, ClosedIntent> _closed = world.Database.ClosedIntentsOf(StripeWorld.Tenant)
        .GroupBy(closed => closed.Intent.Identifier).ToDictionary(same => same.Key, same => same.MaxBy(closed => closed.Intent.Closing));

    public IEnumerable<string> All()
    {
        NoteSituations();
        return [.. Failures(), .. Forbidden(), .. Targets(), .. Totals(), .. History(), .. new RefusalChecks(world).All()];
    }

    private IEnumerable<string> Failures() => world.Workers.Where(worker => worker.Failure is not null)
        .Select(worker => $"Unexplained: {worker.Failure!.GetType().Name}: {worker.Failure.Message} {worker.Failure.StackTrace}");

    /// <summary>What Stripe was told and never should have been; a live call for shadow among it.</summary>
    private IEnumerable<string> Forbidden() => world.Accounts.SelectMany(account => account.Violations)
        .Concat(_closed.Values.Where(closed => closed.Intent is { State: IntentState.Rejected, LastError: "401" })
            .Select(closed => $"{closed.Intent.Identifier} was given up because the key was revoked."));

    /// <summary>Everything counted is owed by somebody, once in each account.</summary>
    private IEnumerable<string> Targets()
    {
        foreach (var account in world.Accounts)
        {
            foreach (var (name, counter) in world.Customers.Counters.Where(_ => account.Livemode || Customers.IsShadowed(_.Key.Reference)))
            {
                var owed = DocumentsOf(account).Select(document => document.Find(name.Period.Start)?.Find(Customers.Metric, name.Reference))
                    .Aggregate(Quantity.Zero, (sum, contribution) => sum + (contribution?.Share ?? Quantity.Zero));
                if (owed != counter.Value)
                    yield return $"{name} has {counter.Value} and {account.Name} is owed {owed}.";
            }
        }
    }

    /// <summary>Stripe's total is ledger + carried in − carried out, to the last digit; what is not billed is listed.</summary>
    private IEnumerable<string> Totals()
    {
        foreach (var account in world.Accounts)
        {
            foreach (var document in DocumentsOf(account))
            {
                foreach (var delta in document.Periods)
                {
                    var isPresent = document.Present.Contains(delta);
                    var told = isPresent ? account.Total(document.Key.StripeCustomer, delta.Period.Start, delta.Period.End) : Quantity.Zero;
                    var isKnown = document.Key.StripeCustomer != Customers.Unknown;
                    var expected = isKnown ? delta.Expected - _ends.UnbilledOf(delta, world.Now) : Quantity.Zero;
                    if (told != delta.Accepted)
                        yield return $"{Name(document, delta)}: Stripe has {told} and accepted {delta.Accepted}.";
                    if (delta.Accepted != expected)
                        yield return $"{Name(document, delta)}: Stripe accepted {delta.Accepted} of {expected}.";
                }

                if (Sum(document, delta => delta.CarriedIn) != Sum(document, delta => delta.CarriedOut))
                    yield return $"{document.Key.StripeCustomer}: more or less was carried in than out.";
            }
        }
    }

    /// <summary>The history tells of every event that Stripe counted, and of none besides.</summary>
    private IEnumerable<string> History()
    {
        // What is overwritten does not matter any more, whatever became of it.
        if (world.Meter.Sink != SinkKind.Deltas)
            return [];
        var counted = world.Accounts.SelectMany(account => account.Events).Where(taken => !taken.IsDropped)
            .Select(taken => taken.Intent.Identifier).ToHashSet();
        var accepted = _closed.Values.Where(closed => closed.Intent.State is IntentState.Accepted or IntentState.Confirmed)
            .Select(closed => closed.Intent.Identifier).ToHashSet();
        accepted.ExceptWith(Unnoticeable(accepted));
        return counted.Except(accepted).Select(identifier => $"{identifier} was counted, and stands as {_closed.GetValueOrDefault(identifier).Intent?.State}.")
            .Concat(accepted.Except(counted).Select(identifier => $"{identifier} stands as accepted, and was not counted."));
    }

    /// <summary>
    /// What Stripe dropped without a word, and what makes up for each other: the totals agree, and nothing shows that anything is
    /// amiss, nor does it cost anybody anything.
    /// </summary>
    private IEnumerable<string> Unnoticeable(HashSet<string> accepted) => world.Accounts.SelectMany(account => account.Events)
        .Where(taken => taken is { IsDropped: true, IsReported: false } && accepted.Contains(taken.Intent.Identifier))
        .GroupBy(taken => (taken.Key, world.Periods.PeriodOf(taken.Intent.Minute)))
        .Where(same => same.Aggregate(Quantity.Zero, (sum, taken) => sum + taken.Intent.Value) == Quantity.Zero)
        .SelectMany(same => same.Select(taken => taken.Intent.Identifier));

    private IEnumerable<DeltaDocument> DocumentsOf(SimulatedAccount account) =>
        world.Documents.Where(document => document.Key.Account == account.Name);

    private static string Name(DeltaDocument document, PeriodDelta delta) =>
        $"{document.Key.StripeCustomer} of {document.Key.Account} from {delta.Period.Start}";

    private static Quantity Sum(DeltaDocument document, Func<PeriodDelta, Quantity> part) =>
        document.Periods.Aggregate(Quantity.Zero, (sum, delta) => sum + part(delta));

    private void NoteSituations()
    {
        foreach (var (_, intent) in _closed.Values)
        {
            if (SituationOf(intent) is { } situation)
                world.Tally.Note(situation);
            if (intent is { State: IntentState.Accepted } && intent.Value < Quantity.Zero)
                world.Tally.Note(Situation.CorrectionTold);
        }

        var unbilled = world.Documents.SelectMany(document => document.Periods).Count(delta => _ends.UnbilledOf(delta, world.Now) != Quantity.Zero);
        for (var period = 0; period < unbilled; period++)
            world.Tally.Note(Situation.UsageUnbilled);
        foreach (var _ in world.Documents.Where(document => document.ParkedSince is not null))
            world.Tally.Note(Situation.DocumentParked);
        foreach (var _ in world.Documents.Where(document => document.Key.StripeCustomer == Customers.Unknown && document.Periods.Any(HasLostAll)))
            world.Tally.Note(Situation.RefusedTakenAlong);
        foreach (var _ in world.Documents.Where(document => document.IsSplit))
            world.Tally.Note(Situation.DifferenceSplit);
    }

    private static bool HasLostAll(PeriodDelta delta) => delta.Contributions.Any(contribution =>
        contribution is { HasLeft: true } && contribution.Value != Quantity.Zero && contribution.Share == Quantity.Zero);

    private static Situation? SituationOf(PushIntent intent) => intent.State switch
    {
        IntentState.Confirmed => Situation.IntentFound,
        IntentState.Missing => Situation.IntentMissing,
        IntentState.Rejected when intent.Report.Length > 0 => Situation.IntentRejectedLater,
        IntentState.Expired => Situation.IntentExpired,
        IntentState.Carried => Situation.UsageCarried,
        _ => null,
    };
}
