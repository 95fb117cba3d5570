using System.Security.Cryptography;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.Storage;

namespace StripeMeter.Bench;

/// <summary>Makes the keys of a system that asks for them, in its store.</summary>
internal sealed class BenchKeys(string dataDirectory, TimeProvider clock)
{
    /// <summary>Settings of a system with authentication, whose limits count but are not reached.</summary>
    public static readonly (string Name, string Value)[] Settings =
    [
        ("API_KEY_SALT", Salt), ("TENANT_RATE_LIMIT", "10000000"), ("API_KEY_RATE_LIMIT", "10000000"),
    ];

    private const string Salt = "a secret of benchmarks, and of nothing else";

    public async Task<string> MakeAsync(string tenant)
    {
        var (owner, now) = (new TenantId(tenant), Instant.Of(clock.GetUtcNow()));
        await using var store = MeterStoreFactory.Create(new MeterStoreOptions { DataDirectory = dataDirectory }, clock);
        var secret = ApiKeyText.Create(livemode: false, RandomNumberGenerator.GetBytes(ApiKeyText.RandomBytes));
        ApiKeyText.TryReadId(secret, out var id);
        var key = new ApiKey(id!, new KeySecret(Salt).HashOf(secret), id!, "", Scopes.Default, now, "bench");
        await new KeyBook(store.Of(owner).Documents, store.Directory, owner).AddAsync(key, now, CancellationToken.None);
        return secret;
    }
}
