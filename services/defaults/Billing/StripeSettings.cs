using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using StripeMeter.Defaults.Configuration;

namespace StripeMeter.Defaults.Billing;

/// <summary>Reads how Stripe is asked, and refuses what could send a key, or shadow usage, where it must not go.</summary>
public static class StripeSettings
{
    private const string AccountPrefix = "acct_";
    private const string WebhookSecretPrefix = "whsec_";

    /// <exception cref="InvalidSettingException">Names the setting that is wrong, and never what is secret in it.</exception>
    public static StripeOptions AddStripeSettings(this IServiceCollection services, IConfiguration configuration)
    {
        var options = services.AddSettings<StripeOptions>(configuration);
        options.SecretKey = Resolve("STRIPE_SECRET_KEY", options.SecretKey, configuration);
        options.TestSecretKey = Resolve("STRIPE_TEST_SECRET_KEY", options.TestSecretKey, configuration);
        options.Accounts = ReadAccounts("STRIPE_ACCOUNTS", options.AccountKeys, configuration)
            .ToDictionary(entry => entry.Account, entry => entry.Key, StringComparer.Ordinal);
        options.TestAccounts = ReadAccounts("STRIPE_TEST_ACCOUNTS", options.TestAccountKeys, configuration)
            .ToDictionary(entry => entry.Account, entry => TestKeyOf("STRIPE_TEST_ACCOUNTS", entry.Key), StringComparer.Ordinal);
        options.WebhookSecrets = [.. Parts(options.WebhookSecretTexts).Select(part => ReadWebhookSecret(part, configuration))];
        if (options.TestSecretKey.Length > 0)
            TestKeyOf("STRIPE_TEST_SECRET_KEY", new StripeKey(options.TestSecretKey));
        RefuseLiveKeysElsewhere(options);
        return options;
    }

    private static string Resolve(string setting, string text, IConfiguration configuration)
    {
        var key = SecretReference.Resolve(setting, text, configuration);
        return key.Length == 0 || StripeKey.IsKey(key)
            ? key
            : throw new InvalidSettingException($"{setting}: is not a secret or restricted key, sk_… or rk_….");
    }

    private static List<(string Account, StripeKey Key)> ReadAccounts(string setting, string text, IConfiguration configuration)
    {
        var accounts = new List<(string Account, StripeKey Key)>();
        foreach (var part in Parts(text))
        {
            var (account, reference) = part.Split('=', 2) is [var name, var value] ? (name.Trim(), value.Trim()) : ("", "");
            if (!account.StartsWith(AccountPrefix, StringComparison.Ordinal) || !SecretReference.IsReference(reference))
                throw new InvalidSettingException($"{setting}: must be acct_…=env:NAME or acct_…=file:PATH, separated by commas.");
            if (accounts.Any(other => other.Account == account))
                throw new InvalidSettingException($"{setting}: {account} is there twice.");
            accounts.Add((account, new StripeKey(Resolve(setting, reference, configuration))));
        }

        return accounts;
    }

    private static StripeTestKey TestKeyOf(string setting, StripeKey key) => StripeTestKey.IsOne(key)
        ? new StripeTestKey(key)
        : throw new InvalidSettingException($"{setting}: is not a test key, sk_test_… or rk_test_…; shadow usage never goes to a live account.");

    private static WebhookSecret ReadWebhookSecret(string part, IConfiguration configuration)
    {
        var account = part.StartsWith(AccountPrefix, StringComparison.Ordinal) && part.Contains('=', StringComparison.Ordinal) ? part.Split('=')[0] : "";
        var reference = account.Length > 0 ? part[(account.Length + 1)..] : part;
        var secret = SecretReference.Resolve("STRIPE_WEBHOOK_SECRET", reference, configuration);
        return secret.StartsWith(WebhookSecretPrefix, StringComparison.Ordinal)
            ? new WebhookSecret(account, secret)
            : throw new InvalidSettingException("STRIPE_WEBHOOK_SECRET: must be signing secrets of endpoints, whsec_…, separated by commas.");
    }

    /// <summary>A live key is only ever sent to Stripe itself.</summary>
    private static void RefuseLiveKeysElsewhere(StripeOptions options)
    {
        if (!StripeOptions.IsDouble(options.ApiBase))
            return;
        var setting = options.SecretKey.Length > 0 && new StripeKey(options.SecretKey).IsLive ? "STRIPE_SECRET_KEY"
            : options.Accounts.Values.Any(key => key.IsLive) ? "STRIPE_ACCOUNTS" : null;
        if (setting is not null)
            throw new InvalidSettingException($"{setting}: a live key cannot be used with STRIPE_API_BASE {options.ApiBase}.");
    }

    private static string[] Parts(string text) => text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
