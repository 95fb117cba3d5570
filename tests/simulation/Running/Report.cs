using System.Globalization;

namespace StripeMeter.Simulation.Running;

/// <summary>Says in plain lines what a run found.</summary>
public static class Report
{
    /// <summary>From so many seeds on, a fault or situation that never came about is a defect of the simulation.</summary>
    public const int SeedsThatShowEverything = 2_000;

    /// <summary>Writes the report. Returns whether everything holds.</summary>
    public static bool Write(TextWriter output, IScenario scenario, SeedRun run, TimeSpan elapsed)
    {
        foreach (var verdict in run.Disagreeing)
            WriteDisagreement(output, scenario, verdict);
        Line(output, $"faults     {Counts(scenario.Faults, fault => run.Tally[fault])}");
        Line(output, $"situations {Counts(scenario.Situations, situation => run.Tally[situation])}");
        var seedsPerSecond = run.Seeds * TimeSpan.TicksPerSecond / Math.Max(1, elapsed.Ticks);
        Line(output, $"{run.Seeds:N0} seeds, {run.Steps:N0} steps, {run.Events:N0} events, {Faults(scenario, run):N0} faults, {elapsed:hh\\:mm\\:ss}, {seedsPerSecond:N0} seeds/s, {run.DisagreeingSeeds:N0} disagree");
        if (run.Seeds < SeedsThatShowEverything || run.NeverSeen.Count == 0)
            return run.DisagreeingSeeds == 0;
        Line(output, $"never seen: {string.Join(", ", run.NeverSeen)}");
        return false;
    }

    private static long Faults(IScenario scenario, SeedRun run) => scenario.Faults.Sum(fault => run.Tally[fault]);

    private static void WriteDisagreement(TextWriter output, IScenario scenario, Verdict verdict)
    {
        Line(output, $"seed {verdict.Seed} disagrees after {verdict.Steps} steps:");
        foreach (var disagreement in verdict.Disagreements)
            Line(output, $"  {disagreement}");
        Line(output, $"  replay: dotnet run -c Release --project tests/simulation -- --scenario {scenario.Name} --seed {verdict.Seed}");
    }

    private static string Counts<T>(IEnumerable<T> kinds, Func<T, long> count) where T : struct, Enum =>
        string.Join(", ", kinds.Select(kind => string.Create(CultureInfo.InvariantCulture, $"{kind} {count(kind):N0}")));

    private static void Line(TextWriter output, FormattableString line) =>
        output.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
