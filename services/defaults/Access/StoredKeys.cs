using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Defaults.Access;

/// <summary>Looks keys up in the store, and notes once a minute which were used.</summary>
public sealed partial class StoredKeys(
    IMeterStore store, KeySecret secret, TimeProvider clock, ILogger<StoredKeys> logger) : BackgroundService, IKeySource
{
    /// <summary>How often uses are noted.</summary>
    public static readonly TimeSpan NotesEvery = TimeSpan.FromMinutes(1);

    private const int MaximumNotes = 100_000;
    private readonly ConcurrentDictionary<(TenantId Tenant, string Id), Instant> _uses = new();

    public async Task<VerifiedKey?> VerifyAsync(string key, CancellationToken cancellation)
    {
        if (!ApiKeyText.TryReadId(key, out var id))
            return null;

        // Whose the key is, is only about to be known.
        using var system = Call.ActAs(Principal.System);
        if (await KeyBook.FindAsync(store, id, cancellation).ConfigureAwait(false) is not { } found)
            return null;
        var now = Instant.Of(clock.GetUtcNow());
        if (!secret.Matches(key, found.Key.Hash) || !found.Key.IsUsable(now))
            return null;
        if (_uses.Count < MaximumNotes)
            _uses[(found.Tenant, id)] = now;
        return new VerifiedKey(found.Key.ToPrincipal(found.Tenant), found.Key.Expires);
    }

    /// <summary>Writes down the uses since the last time. What cannot be written now is written with the next ones.</summary>
    public async Task NoteUsesAsync(CancellationToken cancellation)
    {
        foreach (var (key, at) in _uses)
        {
            try
            {
                await new KeyBook(store.Of(key.Tenant).Documents, store.Directory, key.Tenant).NoteUseAsync(key.Id, at, cancellation)
                    .ConfigureAwait(false);
                _uses.TryRemove(KeyValuePair.Create(key, at));
            }
            catch (StoreUnavailableException problem)
            {
                LogNotNoted(logger, problem);
                return;
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(NotesEvery, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
                await NoteUsesAsync(stoppingToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await NoteUsesAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }
}
