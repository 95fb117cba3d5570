using StripeMeter.Kits.Simulated.Scheduling;

namespace StripeMeter.Simulation.Running;

/// <summary>A piece of the system that can be run from a seed, and says what did not hold.</summary>
public interface IScenario
{
    /// <summary>As it is called on the command line.</summary>
    string Name { get; }

    /// <summary>Faults that must strike somewhere in a long run.</summary>
    IReadOnlyList<Fault> Faults { get; }

    /// <summary>Situations that must come about somewhere in a long run.</summary>
    IReadOnlyList<Situation> Situations { get; }

    /// <summary>Runs one seed. The same seed gives the same run.</summary>
    Verdict Run(int seed);
}

/// <summary>What became of one seed.</summary>
/// <param name="Seed">The seed.</param>
/// <param name="Disagreements">What did not hold; empty if all did.</param>
/// <param name="Steps">Steps it took.</param>
/// <param name="Events">Usage events that came to stand where the scenario has them go.</param>
/// <param name="Tally">Faults and situations on the way.</param>
public sealed record Verdict(int Seed, IReadOnlyList<string> Disagreements, long Steps, long Events, Tally Tally);
