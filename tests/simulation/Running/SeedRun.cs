using System.Collections.Concurrent;
using StripeMeter.Kits.Simulated.Scheduling;

namespace StripeMeter.Simulation.Running;

/// <summary>Runs many seeds of a scenario, each on one thread, and gathers what they say.</summary>
public sealed class SeedRun(IScenario scenario)
{
    /// <summary>Disagreements kept; a broken protocol has no end of them.</summary>
    public const int KeptDisagreements = 10;

    private readonly ConcurrentQueue<Verdict> _disagreeing = new();
    private readonly Lock _gate = new();

    public Tally Tally { get; } = new();

    public long Seeds { get; private set; }

    public long Steps { get; private set; }

    public long Events { get; private set; }

    public int DisagreeingSeeds { get; private set; }

    /// <summary>The first verdicts with disagreements, by seed.</summary>
    public IReadOnlyList<Verdict> Disagreeing => [.. _disagreeing.OrderBy(verdict => verdict.Seed).Take(KeptDisagreements)];

    /// <summary>Faults and situations that never came about.</summary>
    public IReadOnlyList<string> NeverSeen =>
    [
        .. scenario.Faults.Where(fault => Tally[fault] == 0).Select(fault => fault.ToString()),
        .. scenario.Situations.Where(situation => Tally[situation] == 0).Select(situation => situation.ToString()),
    ];

    /// <summary>All that did not hold, in lines: disagreements by seed, and what never came about. Empty if all did.</summary>
    public IReadOnlyList<string> Findings =>
    [
        .. Disagreeing.Select(verdict => $"seed {verdict.Seed}: {string.Join("; ", verdict.Disagreements)}"),
        .. NeverSeen.Select(kind => $"never seen: {kind}"),
    ];

    public void Run(int first, int count, int workers)
    {
        var range = Partitioner.Create(first, checked(first + count), rangeSize: 64);
        Parallel.ForEach(range, new ParallelOptions { MaxDegreeOfParallelism = workers }, seeds =>
        {
            for (var seed = seeds.Item1; seed < seeds.Item2; seed++)
                Add(scenario.Run(seed));
        });
    }

    private void Add(Verdict verdict)
    {
        lock (_gate)
        {
            Seeds++;
            Steps += verdict.Steps;
            Events += verdict.Events;
            Tally.Add(verdict.Tally);
            if (verdict.Disagreements.Count == 0)
                return;
            DisagreeingSeeds++;
            if (_disagreeing.Count < KeptDisagreements)
                _disagreeing.Enqueue(verdict);
        }
    }
}
