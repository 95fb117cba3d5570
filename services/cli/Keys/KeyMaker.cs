using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using StripeMeter.Cli.Commands;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Configuration;
using StripeMeter.Defaults.Storage;
using StripeMeter.Metering.AuditLog;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Cli.Keys;

/// <summary>A key to be made.</summary>
internal sealed record KeyDraft(TenantId Tenant, string Name, Scopes Scopes, bool Livemode);

/// <summary>Makes keys in the store, by the settings of the services.</summary>
internal sealed class KeyMaker(CliHost host)
{
    private const string Actor = "cli";
    private static readonly string[] Settings = ["STORAGE_ENGINE", "DATA_DIRECTORY", "MONGO_URL", "MONGO_DATABASE", "API_KEY_SALT"];

    /// <exception cref="CliException">The settings or the store cannot be used, or the name is taken.</exception>
    public async Task<(string Secret, ApiKey Key)> CreateAsync(KeyDraft draft, CancellationToken cancellation)
    {
        try
        {
            var configuration = new ConfigurationBuilder()
                .AddInMemoryCollection(Settings.Select(name => KeyValuePair.Create(name, host.Variable(name)))).Build();
            var hashing = new KeySecret(SettingsReader.Read<AccessOptions>(configuration).KeySalt);
            await using var store = MeterStoreRegistration.Open(SettingsReader.Read<StorageOptions>(configuration), host.Clock);
            await store.PrepareAsync(cancellation).ConfigureAwait(false);
            return await CreateAsync(store, hashing, draft, cancellation).ConfigureAwait(false);
        }
        catch (ArgumentException problem)
        {
            throw new CliException($"API_KEY_SALT: {problem.Message}", problem);
        }
        catch (Exception problem) when (problem is InvalidSettingException or StoreUnavailableException)
        {
            throw new CliException(problem.Message, problem);
        }
    }

    private async Task<(string Secret, ApiKey Key)> CreateAsync(
        IMeterStore store, KeySecret hashing, KeyDraft draft, CancellationToken cancellation)
    {
        var now = Instant.Of(host.Clock.GetUtcNow());
        var documents = store.Of(draft.Tenant).Documents;
        var trail = new AuditTrail(documents);
        var asked = JsonSerializer.Serialize(new { draft.Name, Scopes = ScopeNames.Of(draft.Scopes) });
        var begun = await trail.AppendAsync(EntryOf(now, asked, "", AuditStage.Begun, 0), cancellation).ConfigureAwait(false);
        await new OrganisationBook(store).AddAsync(new Organisation(draft.Tenant, draft.Tenant.Value, now), cancellation).ConfigureAwait(false);
        var secret = ApiKeyText.Create(draft.Livemode, RandomNumberGenerator.GetBytes(ApiKeyText.RandomBytes));
        ApiKeyText.TryReadId(secret, out var id);
        var key = new ApiKey(id!, hashing.HashOf(secret), draft.Name, "", draft.Scopes, now, Actor);
        if (await new KeyBook(documents, store.Directory, draft.Tenant).AddAsync(key, now, cancellation).ConfigureAwait(false) != KeyChange.Done)
        {
            await trail.AppendAsync(EntryOf(now, "", "", AuditStage.Refused, begun), cancellation).ConfigureAwait(false);
            throw new CliException($"{draft.Tenant} has a key named '{draft.Name}' in use, or too many keys. Name another with --name.");
        }

        await trail.AppendAsync(EntryOf(now, "", JsonSerializer.Serialize(new { key.Id }), AuditStage.Done, begun), cancellation).ConfigureAwait(false);
        return (secret, key);
    }

    private static AuditEntry EntryOf(Instant now, string asked, string after, string stage, long begun) =>
        new(0, now.ToString(), Actor, "keys create", "", asked, "", after, stage, begun);
}
