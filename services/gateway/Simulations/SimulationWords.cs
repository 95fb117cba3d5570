using StripeMeter.V1;

namespace StripeMeter.Gateway.Simulations;

/// <summary>States and kinds of runs as REST spells them.</summary>
internal static class SimulationWords
{
    public static IReadOnlyList<(string Word, RunStatus Value)> Statuses { get; } =
    [
        ("pending", RunStatus.Pending), ("running", RunStatus.Running), ("completed", RunStatus.Completed), ("failed", RunStatus.Failed),
    ];

    public static IReadOnlyList<(string Word, RunType Value)> Types { get; } =
        [("manual", RunType.Manual), ("scheduled", RunType.Scheduled), ("ci", RunType.Ci)];

    public static string Of(RunStatus status) => status.ToString().ToLowerInvariant();

    public static string Of(RunType type) => type.ToString().ToLowerInvariant();
}
