using System.ComponentModel.DataAnnotations;
using StripeMeter.Defaults.Configuration;

namespace StripeMeter.Pricing.Simulating;

/// <summary>Bounds of kept scenarios and their runs.</summary>
public sealed class SimulationOptions
{
    /// <summary>Scenarios a tenant may keep, deleted ones among them.</summary>
    [Setting("SIMULATION_SCENARIOS"), Range(1, 10_000)]
    public int Scenarios { get; set; } = 1_000;

    /// <summary>Runs kept of a tenant. When there are more, the oldest go.</summary>
    [Setting("SIMULATION_RUNS_KEPT"), Range(1, 100_000)]
    public int RunsKept { get; set; } = 1_000;

    /// <summary>Runs computed at a time.</summary>
    [Setting("SIMULATION_CONCURRENT_RUNS"), Range(1, 64)]
    public int ConcurrentRuns { get; set; } = 5;

    /// <summary>Milliseconds between two searches for runs that another replica, or a crash, has left.</summary>
    [Setting("SIMULATION_SWEEP_INTERVAL_MS"), Range(10, 600_000)]
    public int SweepIntervalMs { get; set; } = 5_000;

    /// <summary>Tenants, runs or scenarios read at a time.</summary>
    public int Page { get; } = 100;
}
