using StripeMeter.Kits.Storage;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Ledger;
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

        var (_, replacement) = NewKey("lasting");
        Assert.Equal(KeyChange.Done, await _book.ReplaceAsync(lasting.Id, replacement, until, Now, Never));
        Assert.Equal(KeyChange.Done, await _book.ReplaceAsync(ending.Id, NewKey("ending").Key, until, Now, Never));

        Assert.Equal((until, replacement.Id), await _book.GetAsync(lasting.Id, Never) is { } replaced ? (replaced.Expires, replaced.ReplacedBy) : default);
        Assert.Equal(ending.Expires, (await _book.GetAsync(ending.Id, Never))!.Expires);
    }

    [Fact]
    public async Task Replace_AKeyThatIsNotInUse_KeepsNoOther()
    {
        var (_, replaced) = await AddAsync("replaced");
        await _book.ReplaceAsync(replaced.Id, NewKey("replaced").Key, Now + TimeSpan.FromHours(1), Now, Never);
        var late = NewKey("replaced").Key;

        Assert.Equal(KeyChange.NotUsable, await _book.ReplaceAsync(replaced.Id, late, Now, Now, Never));
        Assert.Equal(KeyChange.NotFound, await _book.ReplaceAsync("sm_live_ffffffffffff", late, Now, Now, Never));

        Assert.Null(await KeyBook.FindAsync(_store, late.Id, Never));
        Assert.Equal(2, (await _book.ListAsync(Never)).Count);
    }

    [Fact]
    public async Task Replace_WhereverTheProcessDies_LeavesOneThatServesAndCanBeDoneAgain()
    {
        var (until, calls, hasBlown) = (Now, 0, true);
        for (; hasBlown; calls++)
        {
            var (_, old) = await AddAsync($"dies at {calls}");
            var fuse = new Fuse(calls, lastIsCarriedOut: false);
            var dying = new KeyBook(fuse.Guard(_store.Of(Acme)).Documents, _store.Directory, Acme);
            await ReplaceOrDieAsync(dying, old, until);
            hasBlown = fuse.HasBlown;
            if (hasBlown)
                Assert.True((await _book.GetAsync(old.Id, Never))!.IsUsable(Now));

            Assert.Equal(hasBlown ? KeyChange.Done : KeyChange.NotUsable, await _book.ReplaceAsync(old.Id, NewKey(old.Name).Key, until, Now, Never));
            var end = (await _book.GetAsync(old.Id, Never))!;
            Assert.False(end.IsUsable(Now));
            Assert.True((await _book.GetAsync(end.ReplacedBy, Never))!.IsUsable(Now));
        }

        Assert.True(calls > 3);
    }

    [Fact]
    public async Task Replace_WhereNoFurtherKeyFits_ChangesNothing()
    {
        var (_, key) = await AddAsync("full");
        await FillAsync(key);

        Assert.Equal(KeyChange.TooMany, await _book.AddAsync(NewKey("new").Key, Now, Never));
        Assert.Equal(KeyChange.TooMany, await _book.ReplaceAsync(key.Id, NewKey("full").Key, Now, Now, Never));

        Assert.Equal(key with { Scopes = Scopes.None }, (await _book.GetAsync(key.Id, Never))! with { Scopes = Scopes.None });
    }

    [Fact]
    public async Task Replace_WhereOneOfAllKeysHasEnded_HasThatGiveWay()
    {
        var (_, key) = await AddAsync("full");
        var (_, ended) = await AddAsync("ended");
        await _book.RevokeAsync(ended.Id, Now, Never);
        await FillAsync(key);

        Assert.Equal(KeyChange.Done, await _book.ReplaceAsync(key.Id, NewKey("full").Key, Now + TimeSpan.FromHours(1), Now, Never));

        Assert.Null(await KeyBook.FindAsync(_store, ended.Id, Never));
        Assert.Equal(KeyBook.MaximumKeys, (await _book.ListAsync(Never)).Count);
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

    private async Task ReplaceOrDieAsync(KeyBook dying, ApiKey old, Instant until)
    {
        try
        {
            await dying.ReplaceAsync(old.Id, NewKey(old.Name).Key, until, Now, Never);
        }
        catch (StoreUnavailableException)
        {
            // What this is about.
        }
    }

    /// <summary>Keeps as many keys like this one as a tenant may have.</summary>
    private async Task FillAsync(ApiKey key)
    {
        var documents = _store.Of(Acme).Documents;
        var body = (await documents.GetAsync(DocumentKind.ApiKey, key.Id, Never))!.Value.Body;
        var free = KeyBook.MaximumKeys - (await _book.ListAsync(Never)).Count;
        var ids = Enumerable.Range(0, free).Select(number => $"sm_live_{number + 0xf0_0000:x12}");
        await documents.WriteAsync(
            DocumentKind.ApiKey, [.. ids.Select(id => new StoredDocument(id, body.Replace(key.Id, id, StringComparison.Ordinal), 0))], Never);
    }

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
