namespace StripeMeter.Kits.Simulated.Scheduling;

/// <summary>Counts what happened in a run, or in many.</summary>
public sealed class Tally
{
    private readonly long[] _faults = new long[Enum.GetValues<Fault>().Length];
    private readonly long[] _situations = new long[Enum.GetValues<Situation>().Length];

    public long this[Fault fault] => _faults[(int)fault];

    public long this[Situation situation] => _situations[(int)situation];

    public void Note(Fault fault) => _faults[(int)fault]++;

    public void Note(Situation situation) => _situations[(int)situation]++;

    public void Add(Tally other)
    {
        for (var index = 0; index < _faults.Length; index++)
            _faults[index] += other._faults[index];
        for (var index = 0; index < _situations.Length; index++)
            _situations[index] += other._situations[index];
    }

    /// <summary>What happened, and how often.</summary>
    public override string ToString() => string.Join(", ",
    [
        .. Enum.GetValues<Fault>().Where(fault => this[fault] > 0).Select(fault => $"{fault} {this[fault]}"),
        .. Enum.GetValues<Situation>().Where(situation => this[situation] > 0).Select(situation => $"{situation} {this[situation]}"),
    ]);
}
