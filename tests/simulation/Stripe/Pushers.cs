using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Time;

namespace StripeMeter.Simulation.Stripe;

/// <summary>Two pushers that drive whatever is due, each through a client of the account that a document belongs to.</summary>
internal sealed class Pushers
{
    private const int Count = 2;
    private const int PageDocuments = 10;
    private readonly StripeWorld _world;
    private readonly Random _random;
    private readonly Worker[] _workers;

    public Pushers(StripeWorld world, Random random)
    {
        (_world, _random) = (world, random);
        _workers = [.. Enumerable.Range(0, Count).Select(_ => new Worker(world.Network, PushAsync, Pause))];
    }

    public IReadOnlyList<Worker> Workers => _workers;

    public void CrashOne() => _workers[_world.Network.Dice.Next(Count)].Crash();

    /// <summary>In the end only what is due matters, not when exactly it is seen.</summary>
    private TimeSpan Pause() => _world.IsResting ? TimeSpan.FromMinutes(20) : _world.Network.Dice.Delay(TimeSpan.FromMinutes(2));

    private async Task PushAsync(SimulatedProcess process, TimeProvider clock)
    {
        var deltas = _world.DeltasOf(process, clock);
        foreach (var account in _world.Accounts)
        {
            var pusher = new DeltaPusher(deltas, _world.Variant.Way(account.For(process, clock), deltas), _world.Protocol, clock, Nonce);
            var due = await deltas.DueAsync(
                account.Name, account.Livemode, Instant.Of(clock.GetUtcNow()), PageDocuments, CancellationToken.None).ConfigureAwait(false);
            foreach (var key in due)
                await pusher.DriveAsync(key, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private UInt128 Nonce() => new((ulong)_random.NextInt64(), (ulong)_random.NextInt64());
}
