using System.Text.Json;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Identity;

/// <summary>What became of a change to a key.</summary>
public enum KeyChange
{
    Done,
    NotFound,

    /// <summary>It was revoked or has expired.</summary>
    NotUsable,

    /// <summary>Another key in use has the name.</summary>
    NameTaken,

    /// <summary>There are as many keys in use as a tenant may have.</summary>
    TooMany,
}

/// <summary>
/// The keys of one tenant. They stand among its own documents; the installation's directory says only of which tenant a key
/// is, so that it can be found before anything is known of the caller.
/// </summary>
public sealed class KeyBook(IDocuments documents, IDocuments directory, TenantId tenant)
{
    /// <summary>Keys of a tenant, those that have ended included.</summary>
    public const int MaximumKeys = 1_000;

    private const int Attempts = 5;

    /// <summary>Finds a key by its id, whosever it is.</summary>
    public static async Task<(TenantId Tenant, ApiKey Key)?> FindAsync(IMeterStore store, string id, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(store);
        if (await store.Directory.GetAsync(DocumentKind.ApiKeyOwner, id, cancellation).ConfigureAwait(false) is not { } owner)
            return null;
        var tenant = new TenantId(JsonSerializer.Deserialize<string>(owner.Body)!);
        var found = await store.Of(tenant).Documents.GetAsync(DocumentKind.ApiKey, id, cancellation).ConfigureAwait(false);
        return found is { } document ? (tenant, Read(document.Body)) : null;
    }

    /// <summary>In the order of their ids. All of them: there are at most <see cref="MaximumKeys"/>.</summary>
    public async Task<IReadOnlyList<ApiKey>> ListAsync(CancellationToken cancellation)
    {
        var found = await documents.ListAsync(new DocumentQuery(DocumentKind.ApiKey) { Limit = MaximumKeys }, cancellation).ConfigureAwait(false);
        return [.. found.Select(document => Read(document.Body))];
    }

    public async Task<ApiKey?> GetAsync(string id, CancellationToken cancellation) =>
        await documents.GetAsync(DocumentKind.ApiKey, id, cancellation).ConfigureAwait(false) is { } document ? Read(document.Body) : null;

    /// <summary>Keeps a new key.</summary>
    public async Task<KeyChange> AddAsync(ApiKey key, Instant now, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(key);
        var others = await ListAsync(cancellation).ConfigureAwait(false);
        return others.Any(other => other.Name == key.Name && other.IsCurrent(now))
            ? KeyChange.NameTaken
            : await WriteAsync(key, others, now, cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// Has a key give way to a new one of its name: it serves until <paramref name="until"/>, or its own earlier end. The new one is
    /// kept first, so that whatever fails behind it the old one still serves, and can be replaced again.
    /// </summary>
    public async Task<KeyChange> ReplaceAsync(string id, ApiKey by, Instant until, Instant now, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(by);
        var others = await ListAsync(cancellation).ConfigureAwait(false);
        if (await WriteAsync(by, others, now, cancellation).ConfigureAwait(false) is var kept && kept != KeyChange.Done)
            return kept;
        var retired = await RetireAsync(id, by.Id, until, now, cancellation).ConfigureAwait(false);

        // Somebody else was faster.
        if (retired != KeyChange.Done)
            await RemoveAsync(by.Id, cancellation).ConfigureAwait(false);
        return retired;
    }

    /// <summary>Ends a key, for good. One that is revoked stays as it is.</summary>
    public Task<KeyChange> RevokeAsync(string id, Instant now, CancellationToken cancellation) =>
        ChangeAsync(id, key => key.Revoked is null ? key with { Revoked = now } : key, cancellation);

    /// <summary>Notes that a key was used. What is earlier than what is known changes nothing.</summary>
    public Task<KeyChange> NoteUseAsync(string id, Instant at, CancellationToken cancellation) =>
        ChangeAsync(id, key => key.LastUsed is { } last && last >= at ? key : key with { LastUsed = at }, cancellation);

    private Task<KeyChange> RetireAsync(string id, string by, Instant until, Instant now, CancellationToken cancellation) => ChangeAsync(
        id, key => key.IsCurrent(now)
            ? key with { ReplacedBy = by, Expires = key.Expires is { } end ? Instant.Min(end, until) : until }
            : null,
        cancellation);

    /// <summary>A key that is in the directory and nowhere else is as good as none.</summary>
    private async Task<KeyChange> WriteAsync(ApiKey key, IReadOnlyList<ApiKey> others, Instant now, CancellationToken cancellation)
    {
        if (!await MakeRoomAsync(others, now, cancellation).ConfigureAwait(false))
            return KeyChange.TooMany;
        await WriteNewAsync(directory, DocumentKind.ApiKeyOwner, key.Id, JsonSerializer.Serialize(tenant.Value), cancellation).ConfigureAwait(false);
        await WriteNewAsync(documents, DocumentKind.ApiKey, key.Id, Write(key), cancellation).ConfigureAwait(false);
        return KeyChange.Done;
    }

    /// <summary>Of as many keys as are kept, the oldest that has ended gives way. What it did stands in the audit log.</summary>
    private async Task<bool> MakeRoomAsync(IReadOnlyList<ApiKey> others, Instant now, CancellationToken cancellation)
    {
        if (others.Count < MaximumKeys)
            return true;
        if (others.Where(other => !other.IsUsable(now)).MinBy(other => other.Created) is not { } ended)
            return false;
        await RemoveAsync(ended.Id, cancellation).ConfigureAwait(false);
        return true;
    }

    private async Task RemoveAsync(string id, CancellationToken cancellation)
    {
        // All ids have one length, so no other begins with this one.
        await documents.DeleteAsync(DocumentKind.ApiKey, id, 1, cancellation).ConfigureAwait(false);
        await directory.DeleteAsync(DocumentKind.ApiKeyOwner, id, 1, cancellation).ConfigureAwait(false);
    }

    private async Task<KeyChange> ChangeAsync(string id, Func<ApiKey, ApiKey?> change, CancellationToken cancellation)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            if (await documents.GetAsync(DocumentKind.ApiKey, id, cancellation).ConfigureAwait(false) is not { } document)
                return KeyChange.NotFound;
            var before = Read(document.Body);
            if (change(before) is not { } after)
                return KeyChange.NotUsable;
            if (after == before)
                return KeyChange.Done;
            var written = await documents.WriteAsync(DocumentKind.ApiKey, [document with { Body = Write(after) }], cancellation).ConfigureAwait(false);
            if (written[0])
                return KeyChange.Done;
        }

        throw new Ledger.StoreUnavailableException("The key is changed by others all the time.");
    }

    private static async Task WriteNewAsync(IDocuments documents, DocumentKind kind, string id, string body, CancellationToken cancellation)
    {
        var written = await documents.WriteAsync(kind, [new StoredDocument(id, body, 0)], cancellation).ConfigureAwait(false);
        if (!written[0])
            throw new Ledger.StoreUnavailableException("The id of the new key is taken.");
    }

    private static string Write(ApiKey key) => JsonSerializer.Serialize(new Stored(
        key.Id, key.Hash, key.Name, key.Project, ScopeNames.Of(key.Scopes), key.Created.Ticks, key.CreatedBy, key.Expires?.Ticks,
        key.Revoked?.Ticks, key.LastUsed?.Ticks, key.ReplacedBy));

    private static ApiKey Read(string body)
    {
        var stored = JsonSerializer.Deserialize<Stored>(body) ?? throw new FormatException("A stored key is empty.");

        // A scope that a later version knew gives nothing here.
        var scopes = stored.Scopes.Aggregate(Scopes.None, (all, name) => ScopeNames.TryRead(name, out var scope) ? all | scope : all);
        return new ApiKey(stored.Id, stored.Hash, stored.Name, stored.Project, scopes, new Instant(stored.Created), stored.CreatedBy)
        {
            Expires = Optional(stored.Expires), Revoked = Optional(stored.Revoked), LastUsed = Optional(stored.LastUsed),
            ReplacedBy = stored.ReplacedBy,
        };
    }

    private static Instant? Optional(long? ticks) => ticks is { } value ? new Instant(value) : null;

    private sealed record Stored(
        string Id, string Hash, string Name, string Project, IReadOnlyList<string> Scopes, long Created, string CreatedBy,
        long? Expires, long? Revoked, long? LastUsed, string ReplacedBy);
}
