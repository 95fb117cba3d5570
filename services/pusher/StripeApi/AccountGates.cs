using System.Collections.Concurrent;
using StripeMeter.Metering.Pushing;

namespace StripeMeter.Pusher.StripeApi;

/// <summary>What guards the calls to one account.</summary>
internal sealed class AccountGate(AccountMode account, int ratePerSecond, TimeProvider clock)
{
    private static readonly TimeSpan LimitedPause = TimeSpan.FromSeconds(1);

    public AccountMode Account => account;

    public TokenBucket Bucket { get; } = new(ratePerSecond, clock);

    public CircuitBreaker Breaker { get; } = new(clock);

    /// <summary>Learns from how a call ended.</summary>
    public void Report(AttemptOutcome outcome, bool isAccountLimited, bool isReached)
    {
        if (isAccountLimited)
            Bucket.Pause(outcome.RetryAfter ?? LimitedPause);
        if (outcome.Result == AttemptResult.Unauthorized)
            Breaker.Refused();
        else if (!isReached || outcome.Result is AttemptResult.Unknown or AttemptResult.UnknownStored)
            Breaker.Failed();
        else
            Breaker.Succeeded();
    }
}

/// <summary>The gates of all accounts.</summary>
internal sealed class AccountGates(PusherOptions options, TimeProvider clock)
{
    private readonly ConcurrentDictionary<AccountMode, AccountGate> _gates = [];

    public IEnumerable<AccountGate> All => _gates.Values;

    public AccountGate Of(DeltaKey key) => Of(new AccountMode(key.Account, key.Livemode));

    public AccountGate Of(AccountMode account)
    {
        // Which accounts there are, mappings say; forgetting all of them costs a burst at most.
        if (_gates.Count >= options.RememberedObjects)
            _gates.Clear();
        return _gates.GetOrAdd(account, name => new AccountGate(name, options.RatePerSecond, clock));
    }
}
