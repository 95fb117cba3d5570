using StripeMeter.Metering.Time;

namespace StripeMeter.Kits.Simulated.Scheduling;

/// <summary>
/// Runs steps one at a time, in an order that a seed decides: the same seed gives the same run. Time passes a little with
/// every step, and jumps to the next thing that waits for it when there is nothing else to do. Not thread safe: a run
/// lives on one thread.
/// </summary>
public sealed class SeededScheduler : IStepScheduler
{
    private const long StepTicks = TimeSpan.TicksPerMillisecond;

    private readonly List<Action> _ready = [];
    private readonly PriorityQueue<Action, (long Ticks, long Order)> _waiting = new();
    private readonly Random _random;
    private readonly SimulatedClock _clock;

    public SeededScheduler(Random random, Instant start)
    {
        _random = random;
        _clock = new SimulatedClock(start);
    }

    public TimeProvider Clock => _clock;

    /// <summary>Steps run so far.</summary>
    public long Steps { get; private set; }

    /// <summary>Steps that have not run yet.</summary>
    public int Pending => _ready.Count + _waiting.Count;

    public void Post(Action step) => _ready.Add(step);

    // Two steps for the same moment keep their order in the queue; which runs first is drawn once both are ready.
    public void PostAfter(TimeSpan delay, Action step) =>
        _waiting.Enqueue(step, (_clock.Ticks + delay.Ticks, Steps));

    /// <summary>Runs one step. False if there is none.</summary>
    public bool RunOne()
    {
        if (_ready.Count == 0 && _waiting.TryPeek(out _, out var next))
            _clock.Ticks = Math.Max(_clock.Ticks, next.Ticks);
        TakeDue();
        if (_ready.Count == 0)
            return false;
        var index = _random.Next(_ready.Count);
        var step = _ready[index];
        _ready[index] = _ready[^1];
        _ready.RemoveAt(_ready.Count - 1);
        Steps++;
        _clock.Ticks += StepTicks;
        step();
        return true;
    }

    /// <summary>Lets time pass while nothing else happens: everything under way is slow.</summary>
    public void Advance(TimeSpan time) => _clock.Ticks += time.Ticks;

    /// <summary>Makes everything that waits for a time ready now.</summary>
    public void Hasten()
    {
        while (_waiting.TryDequeue(out var step, out _))
            _ready.Add(step);
    }

    private void TakeDue()
    {
        while (_waiting.TryPeek(out _, out var due) && due.Ticks <= _clock.Ticks)
            _ready.Add(_waiting.Dequeue());
    }
}
