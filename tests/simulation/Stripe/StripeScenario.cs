using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Simulation.Running;

namespace StripeMeter.Simulation.Stripe;

/// <summary>From a counter to Stripe's meter: raise, push, settle, hear, compare, carry.</summary>
public sealed class StripeScenario(StripeVariant variant) : IScenario
{
    public StripeScenario() : this(StripeVariant.True)
    {
    }

    public string Name => "stripe";

    public IReadOnlyList<Fault> Faults { get; } =
    [
        Fault.WriteRefused, Fault.WriteLandsLate, Fault.WriteAnswerLost, Fault.WriteSlow, Fault.WriteRolledBack, Fault.ReadRefused,
        Fault.AnswerSlow, Fault.TimePasses, .. Enum.GetValues<Fault>().Where(fault => fault >= Fault.ClockSkewed),
    ];

    public IReadOnlyList<Situation> Situations { get; } =
        [.. Enum.GetValues<Situation>().Where(situation => situation >= Situation.RevisionOutdated)];

    public Verdict Run(int seed)
    {
        // Code goes on inside the step that answers it only where nobody else wants to schedule it.
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            var world = new StripeWorld(seed, variant);
            var rested = world.Run();
            IReadOnlyList<string> disagreements = rested
                ? [.. new StripeChecks(world).All()]
                : [$"It does not come to rest: {world.Unrest()}", .. new RefusalChecks(world).All()];
            return new Verdict(seed, disagreements, world.Steps, world.Accounts.Sum(account => account.Events.Count), world.Tally);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }
}
