namespace StripeMeter.Kits.Simulated.Scheduling;

/// <summary>
/// Says when something goes wrong. Every run has its own mix: some faults often, some seldom, some not at all, because
/// a run in which everything fails hides what only a few faults together bring about.
/// </summary>
public sealed class FaultDice
{
    private const int Faces = 10_000;

    private readonly int[] _chances = new int[Enum.GetValues<Fault>().Length];
    private readonly Random _random;

    private FaultDice(Random random, Tally tally) => (_random, Tally) = (random, tally);

    public Tally Tally { get; }

    /// <summary>Nothing ever goes wrong.</summary>
    public static FaultDice Harmless() => new(new Random(0), new Tally());

    /// <summary>A mix of faults. Those in <paramref name="perStep"/> are asked for at every step, and are rarer.</summary>
    public static FaultDice Draw(Random random, Tally tally, params ReadOnlySpan<Fault> perStep)
    {
        var dice = new FaultDice(random, tally);
        for (var fault = 0; fault < dice._chances.Length; fault++)
        {
            var chance = random.Next(6) switch { 0 or 1 => 0, 2 or 3 => 200, 4 => 600, _ => 2_000 };
            dice._chances[fault] = perStep.Contains((Fault)fault) ? chance / 20 : chance;
        }

        return dice;
    }

    /// <summary>Whether a fault happens now. It is counted: ask only where it would have an effect.</summary>
    public bool Strikes(Fault fault)
    {
        var chance = _chances[(int)fault];
        if (chance == 0 || _random.Next(Faces) >= chance)
            return false;
        Tally.Note(fault);
        return true;
    }

    /// <summary>From now on nothing goes wrong.</summary>
    public void Cease() => Array.Clear(_chances);

    /// <summary>A number from 0 to below a bound.</summary>
    public int Next(int bound) => _random.Next(bound);

    /// <summary>A delay of up to so much, seldom long.</summary>
    public TimeSpan Delay(TimeSpan longest) => new(_random.NextInt64(longest.Ticks) >> _random.Next(6));
}
