using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.Storage;
using Xunit;

namespace StripeMeter.Access.Tests.Identity;

public sealed class KeyBookTests : IAsyncDisposable
{
    private static readonly TenantId Acme = new("acme");
    private static readonly Instant Now = Instant.OfDate(2026, 1, 1);
    private static readonly KeySecret Secret = new("a secret of thirty-two characters");
    private static readonly CancellationToken Never = CancellationToken.None;
    private readonly string _folder = Directory.CreateTempSubdirectory("stripemeter-keys-").FullName;
    private readonly IMeterStore _store;
    private readonly KeyBook _book;
    private byte _next;

    public KeyBookTests()
    {
        _store = MeterStoreFactory.Create(new MeterStoreOptions { DataDirectory = _folder }, TimeProvider.System);
        _book = BookOf(Acme);
    }

    [Fact]
    public async Task Add_AKey_KeepsItsHashAndNeverTheKey()
    {
        var (secret, key) = await AddAsync("first");

        var stored = await _store.Of(Acme).Documents.GetAsync(DocumentKind.ApiKey, key.Id, Never);
        Assert.DoesNotContain(secret[^36..], stored!.Value.Body, StringComparison.Ordinal);
        Assert.True(Secret.Matches(secret, key.Hash));
        Assert.False(Secret.Matches(secret[..^1] + "_", key.Hash));
        Assert.False(new KeySecret("another secret, and long enough too").Matches(secret, key.Hash));
    }

    [Fact]
    public async Task Find_ById_TellsTheTenant()
    {
        var (_, key) = await AddAsync("first");
        await BookOf(new TenantId("beta")).AddAsync(NewKey("first").Key, Now, Never);

        Assert.Equal((Acme, key), await KeyBook.FindAsync(_store, key.Id, Never) is { } found ? (found.Tenant, found.Key with { Scopes = key.Scopes }) : default);
        Assert.Null(await KeyBook.FindAsync(_store, "sm_live_ffffffffffff", Never));
    }

    [Fact]
    public async Task Add_ANameInUse_IsTaken_UntilThatKeyEnds()
    {
        var (_, first) = await AddAsync("name");

        Assert.Equal(KeyChange.NameTaken, await _book.AddAsync(NewKey("name").Key, Now, Never));
        await _book.RevokeAsync(first.Id, Now, Never);
        Assert.Equal(KeyChange.Done, await _book.AddAsync(NewKey("name").Key, Now, Never));
    }

    [Fact]
    public async Task Replace_AKey_EndsItAfterTheOverlapButNotLater()
    {
        var (_, lasting) = await AddAsync("lasting");
        var ending = NewKey("ending").Key with { Expires = Now + TimeSpan.FromMinutes(1) };
        await _book.AddAsync(ending, Now, Never);
        var until = Now + TimeSpan.FromHours(1);

        Assert.Equal(KeyChange.Done, await _book.ReplaceAsync(lasting.Id, "new", until, Now, Never));
        Assert.Equal(KeyChange.Done, await _book.ReplaceAsync(ending.Id, "new", until, Now, Never));

        Assert.Equal(until, (await _book.GetAsync(lasting.Id, Never))!.Expires);
        Assert.Equal(ending.Expires, (await _book.GetAsync(ending.Id, Never))!.Expires);
        Assert.Equal(KeyChange.NotUsable, await _book.ReplaceAsync(lasting.Id, "newer", until, Now, Never));
        Assert.Equal(KeyChange.NotFound, await _book.ReplaceAsync("sm_live_ffffffffffff", "new", until, Now, Never));
    }

    [Fact]
    public async Task Use_WhenNoted_OnlyGoesForward()
    {
        var (_, key) = await AddAsync("used");

        await _book.NoteUseAsync(key.Id, Now + TimeSpan.FromMinutes(2), Never);
        await _book.NoteUseAsync(key.Id, Now + TimeSpan.FromMinutes(1), Never);

        Assert.Equal(Now + TimeSpan.FromMinutes(2), (await _book.GetAsync(key.Id, Never))!.LastUsed);
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private KeyBook BookOf(TenantId tenant) => new(_store.Of(tenant).Documents, _store.Directory, tenant);

    private async Task<(string Secret, ApiKey Key)> AddAsync(string name)
    {
        var made = NewKey(name);
        Assert.Equal(KeyChange.Done, await _book.AddAsync(made.Key, Now, Never));
        return made;
    }

    private (string Secret, ApiKey Key) NewKey(string name)
    {
        var bytes = new byte[ApiKeyText.RandomBytes];
        bytes[0] = ++_next;
        var secret = ApiKeyText.Create(livemode: true, bytes);
        ApiKeyText.TryReadId(secret, out var id);
        return (secret, new ApiKey(id!, Secret.HashOf(secret), name, "", Scopes.Default, Now, "tests"));
    }
}
