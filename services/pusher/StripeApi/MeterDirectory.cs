using System.Collections.Concurrent;
using System.Net;
using Stripe;
using Stripe.Billing;
using StripeMeter.Metering.Pushing;

namespace StripeMeter.Pusher.StripeApi;

/// <summary>
/// Says whether a meter can still be told. A mapping may have been made at another account (or a double), and a meter may
/// have been deactivated since. Remembers the answers for a while.
/// </summary>
internal sealed class MeterDirectory(PusherOptions options, TimeProvider clock)
{
    private readonly ConcurrentDictionary<(AccountMode Account, string MeterId), Entry> _entries = [];

    /// <summary>Why nothing may be sent to a meter; null if it may, or if that cannot be known now.</summary>
    public async Task<string?> ProblemOfAsync(StripeCalls calls, DeltaKey key, MeterNames names, CancellationToken cancellation)
    {
        // A legacy price stands for a meter that there is none of.
        if (names.Sink == SinkKind.UsageRecords)
            return null;
        var name = (new AccountMode(key.Account, key.Livemode), key.MeterId);
        if (!_entries.TryGetValue(name, out var entry) || clock.GetElapsedTime(entry.Read) >= options.MeterMemory)
        {
            if (await ReadAsync(calls, key, cancellation).ConfigureAwait(false) is not { } read)
                return null;
            if (_entries.Count >= options.RememberedObjects)
                _entries.Clear();
            _entries[name] = entry = read;
        }

        if (entry.EventName is null)
            return $"There is no meter {key.MeterId} in account {key.Account}.";
        if (!entry.IsActive)
            return $"The meter {key.MeterId} is not active.";
        return entry.EventName == names.EventName ? null : $"The meter {key.MeterId} has the event name {entry.EventName}, not {names.EventName}.";
    }

    /// <summary>Forgets a meter: its mapping was just made or changed.</summary>
    public void Forget(string meterId)
    {
        foreach (var key in _entries.Keys.Where(key => key.MeterId == meterId))
            _entries.TryRemove(key, out _);
    }

    private async Task<Entry?> ReadAsync(StripeCalls calls, DeltaKey key, CancellationToken cancellation)
    {
        try
        {
            var meter = await calls.Client.V1.Billing.Meters.GetAsync(key.MeterId, new MeterGetOptions(), calls.RequestFor(key.Account), cancellation)
                .ConfigureAwait(false);
            return new Entry(meter.EventName, meter.Status == "active", clock.GetTimestamp());
        }
        catch (StripeException missing) when (StripeCalls.Is(missing, HttpStatusCode.NotFound))
        {
            return new Entry(null, false, clock.GetTimestamp());
        }
        catch (Exception problem) when (StripeCalls.IsFailure(problem, cancellation))
        {
            // A restricted key may push and not read; and if Stripe does not answer, the push will find out.
            return null;
        }
    }

    private sealed record Entry(string? EventName, bool IsActive, long Read);
}
