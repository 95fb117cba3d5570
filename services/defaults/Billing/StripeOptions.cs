using System.ComponentModel.DataAnnotations;
using StripeMeter.Defaults.Configuration;

namespace StripeMeter.Defaults.Billing;

/// <summary>With what a webhook endpoint's events are signed. As text it says only whose it is.</summary>
/// <param name="account">Account the endpoint belongs to; empty for the account of the configured key.</param>
/// <param name="secret"><c>whsec_…</c></param>
public sealed class WebhookSecret(string account, string secret)
{
    public string Account => account;

    /// <summary>The secret itself, to check a signature with.</summary>
    public string Reveal() => secret;

    public override string ToString() => $"a signing secret of {(account.Length > 0 ? account : "the own account")}";
}

/// <summary>
/// Where Stripe is, and with which keys it is asked. A double of Stripe is used by giving its address and no key. Keys and
/// webhook secrets may be given by reference: see <see cref="SecretReference"/>.
/// </summary>
/// <remarks>Deployment files name their double by <see cref="DoubleBase"/>, so that setting a key is all it takes to tell Stripe.</remarks>
public sealed class StripeOptions
{
    private const string DoubleKey = "sk_test_double";
    private const string DoubleAccountPrefix = "acct_double";
    private static readonly Uri StripeBase = new("https://api.stripe.com");
    private Uri? _apiBase;
    private Uri? _testApiBase;

    /// <summary>Key of the Stripe account. Empty: there is none, and only a double can be asked.</summary>
    [Setting("STRIPE_SECRET_KEY")]
    public string SecretKey { get; set; } = "";

    /// <summary>Further accounts with keys of their own: <c>acct_…=env:NAME</c> or <c>acct_…=file:PATH</c>, separated by commas.</summary>
    [Setting("STRIPE_ACCOUNTS")]
    public string AccountKeys { get; set; } = "";

    /// <summary>Key of the test account that shadow usage goes to. Empty: there is no shadow mode.</summary>
    [Setting("STRIPE_TEST_SECRET_KEY")]
    public string TestSecretKey { get; set; } = "";

    /// <summary>Further test accounts, as <see cref="AccountKeys"/>.</summary>
    [Setting("STRIPE_TEST_ACCOUNTS")]
    public string TestAccountKeys { get; set; } = "";

    /// <summary>
    /// Signing secrets of webhook endpoints, separated by commas: <c>whsec_…</c> or a reference to one, with
    /// <c>acct_…=</c> before it for an endpoint of another account than the configured key's.
    /// </summary>
    [Setting("STRIPE_WEBHOOK_SECRET")]
    public string WebhookSecretTexts { get; set; } = "";

    /// <summary>Address of Stripe's API, or of a double. Default: the double of <see cref="DoubleBase"/> while there is no key, else Stripe.</summary>
    [Setting("STRIPE_API_BASE"), Required]
    public Uri ApiBase
    {
        get => _apiBase ?? (SecretKey.Length == 0 ? DoubleBase : null) ?? StripeBase;
        set => _apiBase = value;
    }

    /// <summary>Address that shadow usage goes to. Default: <see cref="ApiBase"/>.</summary>
    [Setting("STRIPE_TEST_API_BASE"), Required]
    public Uri TestApiBase
    {
        get => _testApiBase ?? ApiBase;
        set => _testApiBase = value;
    }

    /// <summary>Address of a double that is asked while there is no key.</summary>
    [Setting("STRIPE_DOUBLE_BASE")]
    public Uri? DoubleBase { get; set; }

    /// <summary>Whether Stripe, or a double, can be asked at all.</summary>
    public bool IsConfigured => SecretKey.Length > 0 || IsDouble(ApiBase);

    /// <summary>The key to send. The double takes any test key.</summary>
    public string EffectiveKey => SecretKey.Length > 0 ? SecretKey : DoubleKey;

    /// <summary>Keys of further accounts, by account id.</summary>
    public IReadOnlyDictionary<string, StripeKey> Accounts { get; set; } = new Dictionary<string, StripeKey>();

    /// <summary>Keys of further test accounts, by account id.</summary>
    public IReadOnlyDictionary<string, StripeTestKey> TestAccounts { get; set; } = new Dictionary<string, StripeTestKey>();

    /// <summary>Signing secrets of webhook endpoints.</summary>
    public IReadOnlyList<WebhookSecret> WebhookSecrets { get; set; } = [];

    /// <summary>
    /// Whether an account can be at an address. Accounts of a double are unlike any of Stripe's, and what one of them took is
    /// never told the other.
    /// </summary>
    public static bool MayBeAt(Uri address, string account)
    {
        ArgumentNullException.ThrowIfNull(account);
        return IsDouble(address) == account.StartsWith(DoubleAccountPrefix, StringComparison.Ordinal);
    }

    internal static bool IsDouble(Uri address) => !string.Equals(address.Host, StripeBase.Host, StringComparison.OrdinalIgnoreCase);
}
