namespace StripeMeter.Kits.Simulated.Scheduling;

/// <summary>
/// Something that can crash. Code of a crashed process never goes on, because nothing it awaits is ever answered; what it
/// has asked others to do may still be done.
/// </summary>
public sealed class SimulatedProcess
{
    private readonly List<Action> _mourners = [];

    public bool IsAlive { get; private set; } = true;

    public void Crash()
    {
        IsAlive = false;
        foreach (var mourner in _mourners)
            mourner();
        _mourners.Clear();
    }

    /// <summary>Calls back when the process crashes; at once if it has.</summary>
    public void OnCrash(Action mourner)
    {
        if (IsAlive)
            _mourners.Add(mourner);
        else
            mourner();
    }
}
