using StripeMeter.Defaults.Billing;
using StripeMeter.Metering.Pushing;

namespace StripeMeter.Pusher.StripeApi;

/// <summary>
/// The accounts that can be called, and with which key: those with a key of their own, the one of the configured key, and
/// through that key those connected to it. Accounts for shadow usage are apart, and only test keys reach them.
/// </summary>
internal sealed class StripeAccounts : IDisposable
{
    private readonly BilledCalls? _main;
    private readonly Dictionary<string, BilledCalls> _billed;
    private readonly ShadowCalls? _shadowMain;
    private readonly Dictionary<string, ShadowCalls> _shadow;

    public StripeAccounts(StripeOptions stripe, PusherOptions options, TimeProvider clock)
    {
        _main = stripe.IsConfigured ? Billed(new StripeKey(stripe.EffectiveKey), options.Account) : null;
        _billed = stripe.Accounts.ToDictionary(entry => entry.Key, entry => Billed(entry.Value, entry.Key), StringComparer.Ordinal);
        _shadowMain = stripe.TestSecretKey.Length > 0 ? Shadow(new StripeTestKey(new StripeKey(stripe.TestSecretKey)), "") : null;
        _shadow = stripe.TestAccounts.ToDictionary(entry => entry.Key, entry => Shadow(entry.Value, entry.Key), StringComparer.Ordinal);

        BilledCalls Billed(StripeKey key, string account) => new(key, stripe.ApiBase, account, options.CallTimeout, clock);
        ShadowCalls Shadow(StripeTestKey key, string account) => new(key, stripe.TestApiBase, account, options.CallTimeout, clock);
    }

    /// <summary>Whether there is a Stripe, or a double, to tell.</summary>
    public bool IsConfigured => All.Any();

    /// <summary>Why the account of the configured key is not known.</summary>
    public string Problem => _main?.Problem ?? "there is no key";

    private IEnumerable<StripeCalls> All
    {
        get
        {
            foreach (var calls in _billed.Values)
                yield return calls;
            if (_main is not null)
                yield return _main;
            foreach (var calls in _shadow.Values)
                yield return calls;
            if (_shadowMain is not null)
                yield return _shadowMain;
        }
    }

    /// <summary>Calls to an account that a mapping names; null if there is no key for it.</summary>
    public BilledCalls? BilledOf(string named) => _billed.GetValueOrDefault(named) ?? _main;

    /// <summary>Calls to an account that a mapping names for its shadow usage; null if there is no test key for it.</summary>
    public ShadowCalls? ShadowOf(string named) => _shadow.GetValueOrDefault(named) ?? _shadowMain;

    /// <summary>Calls to the account of the configured key of a mode; null if there is none.</summary>
    public StripeCalls? OwnOf(bool livemode) => ((StripeCalls?[])[_main, _shadowMain]).FirstOrDefault(calls => calls?.Livemode == livemode);

    /// <summary>What delta documents call an account that a mapping names; null if that cannot be known now.</summary>
    public static async ValueTask<AccountMode?> ResolveAsync(StripeCalls? calls, string named, CancellationToken cancellation)
    {
        if (calls is null)
            return null;
        var id = named == StripeCalls.OwnAccount ? await calls.OwnAsync(cancellation).ConfigureAwait(false) : named;
        return id is null ? null : new AccountMode(id, calls.Livemode);
    }

    /// <summary>
    /// By whose key the account of a delta document is called; null if there is none. A key of the other mode is never taken,
    /// so what is shadow never comes to a live account.
    /// </summary>
    public async ValueTask<StripeCalls?> OfAsync(string account, bool livemode, CancellationToken cancellation)
    {
        var areKnown = true;
        foreach (var calls in All.Where(calls => calls.Livemode == livemode))
        {
            var own = await calls.OwnAsync(cancellation).ConfigureAwait(false);
            if (own == account)
                return calls;
            areKnown &= own is not null;
        }

        // It may be one of those that are not known yet.
        return !areKnown ? null : ((StripeCalls?[])[_main, _shadowMain]).FirstOrDefault(calls =>
            calls is not null && calls.Livemode == livemode && StripeOptions.MayBeAt(calls.Address, account));
    }

    public ValueTask<StripeCalls?> OfAsync(DeltaKey key, CancellationToken cancellation) => OfAsync(key.Account, key.Livemode, cancellation);

    public void Dispose()
    {
        foreach (var calls in All)
            calls.Dispose();
    }
}
