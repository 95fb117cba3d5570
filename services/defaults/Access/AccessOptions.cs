using System.ComponentModel.DataAnnotations;
using StripeMeter.Defaults.Configuration;
using StripeMeter.Metering.Identity;

namespace StripeMeter.Defaults.Access;

/// <summary>Who may call, and how often. The same for every service of an installation.</summary>
public sealed class AccessOptions
{
    /// <summary>Runs without keys: whoever reaches a port may do everything. For development.</summary>
    [Setting("BYPASS_AUTH")]
    public bool BypassesAuthentication { get; set; }

    /// <summary>
    /// Secret under which keys are hashed and callers are vouched for among the services. At least 32 characters; there is no
    /// default. With another one no key is known any more.
    /// </summary>
    [Setting("API_KEY_SALT")]
    public string KeySalt { get; set; } = "";

    /// <summary>What the sidecar sends the services, so that nobody else can deliver messages or call actors.</summary>
    [Setting("APP_API_TOKEN")]
    public string AppToken { get; set; } = "";

    /// <summary>Requests of one tenant in a window, at each process that takes them.</summary>
    [Setting("TENANT_RATE_LIMIT"), Range(1, 10_000_000)]
    public int TenantRequests { get; set; } = 60_000;

    /// <summary>Requests of one API key in a window, at each process that takes them.</summary>
    [Setting("API_KEY_RATE_LIMIT"), Range(1, 10_000_000)]
    public int KeyRequests { get; set; } = 60_000;

    /// <summary>Seconds of the window. A limit that is used up fills again evenly within it.</summary>
    [Setting("TENANT_RATE_LIMIT_WINDOW"), Range(1, 3_600)]
    public int WindowSeconds { get; set; } = 60;

    /// <summary>Keys whose verification is remembered for a moment.</summary>
    [Setting("API_KEY_CACHE_ENTRIES"), Range(100, 10_000_000)]
    public int CachedKeys { get; set; } = 10_000;

    /// <summary>Null without authentication.</summary>
    public KeySecret? Secret => BypassesAuthentication ? null : new KeySecret(KeySalt);

    /// <summary>A service either authenticates, or says that it does not.</summary>
    /// <exception cref="InvalidSettingException">Neither is configured, or half of it.</exception>
    public void RefuseHalfConfigured()
    {
        if (BypassesAuthentication)
            return;
        if (KeySalt.Length < KeySecret.MinimumLength)
        {
            throw new InvalidSettingException(
                $"API_KEY_SALT: must have at least {KeySecret.MinimumLength} characters, such as `openssl rand -hex 32` makes. "
                + "To run without API keys, where nobody else reaches the ports, set BYPASS_AUTH=1.");
        }

        if (AppToken.Length == 0)
        {
            throw new InvalidSettingException(
                "APP_API_TOKEN: must be set at services and sidecars, or anyone who reaches a service could pass for its sidecar. "
                + "`openssl rand -hex 32` makes one.");
        }
    }
}
