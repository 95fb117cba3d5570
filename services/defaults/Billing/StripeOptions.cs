using System.ComponentModel.DataAnnotations;
using StripeMeter.Defaults.Configuration;

namespace StripeMeter.Defaults.Billing;

/// <summary>Where Stripe is, and with which key it is asked. A double of Stripe is used by giving its address and no key.</summary>
/// <remarks>Deployment files name their double by <see cref="DoubleBase"/>, so that setting a key is all it takes to tell Stripe.</remarks>
public sealed class StripeOptions
{
    private const string DoubleKey = "sk_test_double";
    private static readonly Uri StripeBase = new("https://api.stripe.com");
    private static readonly string[] LivePrefixes = ["sk_live_", "rk_live_"];
    private Uri? _apiBase;

    /// <summary>Key of the Stripe account. Empty: there is none, and only a double can be asked.</summary>
    [Setting("STRIPE_SECRET_KEY")]
    public string SecretKey { get; set; } = "";

    /// <summary>Address of Stripe's API, or of a double. Default: the double of <see cref="DoubleBase"/> while there is no key, else Stripe.</summary>
    [Setting("STRIPE_API_BASE"), Required]
    public Uri ApiBase
    {
        get => _apiBase ?? (SecretKey.Length == 0 ? DoubleBase : null) ?? StripeBase;
        set => _apiBase = value;
    }

    /// <summary>Address of a double that is asked while there is no key.</summary>
    [Setting("STRIPE_DOUBLE_BASE")]
    public Uri? DoubleBase { get; set; }

    /// <summary>Whether Stripe, or a double, can be asked at all.</summary>
    public bool IsConfigured => SecretKey.Length > 0 || IsDouble;

    /// <summary>The key to send. The double takes any test key.</summary>
    public string EffectiveKey => SecretKey.Length > 0 ? SecretKey : DoubleKey;

    private bool IsDouble => !string.Equals(ApiBase.Host, StripeBase.Host, StringComparison.OrdinalIgnoreCase);

    /// <summary>A live key is only ever sent to Stripe itself.</summary>
    /// <exception cref="InvalidSettingException">A live key is set together with another address.</exception>
    public void RefuseLiveKeyElsewhere()
    {
        if (IsDouble && LivePrefixes.Any(prefix => SecretKey.StartsWith(prefix, StringComparison.Ordinal)))
            throw new InvalidSettingException($"STRIPE_SECRET_KEY: a live key cannot be used with STRIPE_API_BASE {ApiBase}.");
    }
}
