namespace StripeMeter.Defaults.Billing;

/// <summary>A secret or restricted key of Stripe. As text it says only what kind it is, so that no log can hold it.</summary>
public sealed class StripeKey
{
    private const string LivePart = "_live_";
    private readonly string _secret;

    /// <param name="secret"><c>sk_…</c> or <c>rk_…</c></param>
    /// <exception cref="ArgumentException">It is something else.</exception>
    public StripeKey(string secret)
    {
        if (!IsKey(secret))
            throw new ArgumentException("A Stripe key begins with sk_ or rk_.", nameof(secret));
        _secret = secret;
    }

    /// <summary>Whether it moves real money.</summary>
    public bool IsLive => _secret.Contains(LivePart, StringComparison.Ordinal);

    /// <summary>The key itself, for Stripe's client alone.</summary>
    public string Reveal() => _secret;

    public static bool IsKey(string? text) => text is not null
        && (text.StartsWith("sk_", StringComparison.Ordinal) || text.StartsWith("rk_", StringComparison.Ordinal));

    public override string ToString() => IsLive ? "a live key" : "a test key";
}

/// <summary>A key of Stripe's test mode. There is none for a live key, so what takes one of these cannot reach a live account.</summary>
public sealed class StripeTestKey
{
    private readonly StripeKey _key;

    /// <param name="key">A key that says itself that it is one of the test mode.</param>
    /// <exception cref="ArgumentException">It is another one.</exception>
    public StripeTestKey(StripeKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (!IsOne(key))
            throw new ArgumentException("A test key begins with sk_test_ or rk_test_.", nameof(key));
        _key = key;
    }

    public static bool IsOne(StripeKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        var text = key.Reveal();
        return !key.IsLive && (text.StartsWith("sk_test_", StringComparison.Ordinal) || text.StartsWith("rk_test_", StringComparison.Ordinal));
    }

    /// <summary>The key itself, for Stripe's client alone.</summary>
    public string Reveal() => _key.Reveal();

    public override string ToString() => _key.ToString();
}
