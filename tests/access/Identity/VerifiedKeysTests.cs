using Microsoft.Extensions.Time.Testing;
using StripeMeter.Defaults.Access;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using Xunit;

namespace StripeMeter.Access.Tests.Identity;

public sealed class VerifiedKeysTests : IKeySource
{
    private static readonly TimeSpan RevocationLimit = TimeSpan.FromSeconds(5);
    private readonly FakeTimeProvider _clock = new();
    private readonly Dictionary<string, VerifiedKey> _good = [];
    private readonly VerifiedKeys _keys;
    private int _looks;

    public VerifiedKeysTests() => _keys = new VerifiedKeys(this, new AccessOptions { CachedKeys = 100 }, _clock);

    [Fact]
    public async Task Find_AgainAndAgain_LooksOnceInAWhile()
    {
        Add("a");
        for (var use = 0; use < 100; use++)
            Assert.NotNull(await FindAsync("a"));
        Assert.Equal(1, _looks);
        Assert.Null(await FindAsync("b"));
        Assert.Null(await FindAsync("b"));
        Assert.Equal(2, _looks);
    }

    [Fact]
    public async Task Find_AfterARevocation_RefusesWithinTheLimit()
    {
        Add("a");
        await FindAsync("a");
        _good.Clear();

        _clock.Advance(VerifiedKeys.HoldsFor);

        Assert.Null(await FindAsync("a"));
        Assert.True(VerifiedKeys.HoldsFor < RevocationLimit - TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task Find_AKeyThatExpiresMeanwhile_RefusesAtThatInstant()
    {
        Add("a", Instant.Of(_clock.GetUtcNow()) + TimeSpan.FromSeconds(1));
        Assert.NotNull(await FindAsync("a"));
        _good.Clear();

        _clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Null(await FindAsync("a"));
    }

    [Fact]
    public async Task Find_ManyWrongKeys_RemembersNoMoreThanItMay()
    {
        for (var number = 0; number < 1_000; number++)
            await FindAsync($"wrong {number}");
        Add("a");
        Assert.NotNull(await FindAsync("a"));
        Assert.NotNull(await FindAsync("a"));
        Assert.Equal(1_002, _looks);

        // Once those are over, there is room again.
        _clock.Advance(VerifiedKeys.HoldsFor);
        await FindAsync("a");
        await FindAsync("a");
        Assert.Equal(1_003, _looks);
    }

    Task<VerifiedKey?> IKeySource.VerifyAsync(string key, CancellationToken cancellation)
    {
        _looks++;
        return Task.FromResult(_good.GetValueOrDefault(key));
    }

    private ValueTask<Principal?> FindAsync(string key) => _keys.FindAsync(key, CancellationToken.None);

    private void Add(string key, Instant? expires = null) => _good[key] = new VerifiedKey(
        new Principal { Name = key, Tenants = new HashSet<TenantId> { new("acme") } }, expires);
}
