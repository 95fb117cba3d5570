using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Simulation.Running;

namespace StripeMeter.Simulation.Counting;

/// <summary>From an event to a counter: append, publish, fold, project, catch up.</summary>
public sealed class CountingScenario(CountingVariant variant) : IScenario
{
    public CountingScenario() : this(CountingVariant.True)
    {
    }

    public string Name => "counting";

    public IReadOnlyList<Fault> Faults { get; } = [.. Enum.GetValues<Fault>().Where(fault => fault <= Fault.ClockSkewed)];

    public IReadOnlyList<Situation> Situations { get; } = [.. Enum.GetValues<Situation>().Where(situation => situation <= Situation.UnansweredEventStands)];

    public Verdict Run(int seed)
    {
        // Code goes on inside the step that answers it only where nobody else wants to schedule it.
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            var world = new CountingWorld(seed, variant);
            var rested = world.Run();
            IReadOnlyList<string> disagreements = rested ? [.. new CountingChecks(world).All()] : [$"It does not come to rest: {world.Unrest()}"];
            return new Verdict(seed, disagreements, world.Steps, world.Events, world.Tally);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }
}
