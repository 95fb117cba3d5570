using StripeMeter.Defaults.Access;
using StripeMeter.Ingest.Subscribing;
using StripeMeter.Metering.DeadLetters;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Ingest.DeadLetters;

/// <summary>Keeps refused events for the list of their tenant.</summary>
internal sealed partial class DeadLetterKeeper(
    IMeterStore store, DeadLetterOptions options, TimeProvider clock, ILogger<DeadLetterKeeper> logger)
{
    /// <summary>Keeps events of publishers, in no list but those of tenants that the publishers reach, and the operator's. False: a list is full.</summary>
    public async Task<bool> KeepAsync(IReadOnlyList<RefusedEvent> refused, Principal publishers, CancellationToken cancellation)
    {
        var now = Instant.Of(clock.GetUtcNow());
        using var system = Call.ActAs(Principal.System);
        foreach (var tenant in refused.GroupBy(item => TenantOf(item, publishers)))
        {
            var letters = tenant.Select(item => ToLetter(item, now)).ToArray();
            if (await ListOf(tenant.Key).AddAsync(letters, cancellation).ConfigureAwait(false))
                continue;
            LogFull(logger, options.MaximumKept);
            return false;
        }

        return true;
    }

    /// <summary>Whether the letters in a tenant's list are that tenant's, and not those of which nobody knows whose they are.</summary>
    public bool AreAttributed(TenantId tenant) => tenant.Value != options.UnattributedTenant;

    public DeadLetterList ListOf(TenantId tenant) => new(store.Of(tenant).Documents, options.MaximumKept);

    private TenantId TenantOf(RefusedEvent refused, Principal publishers)
    {
        var named = refused.Event.Read.Event.TenantId;
        return TenantId.IsValid(named) && publishers.Reaches(new TenantId(named))
            ? new TenantId(named)
            : publishers.OwnTenant ?? new TenantId(options.UnattributedTenant);
    }

    private DeadLetter ToLetter(RefusedEvent refused, Instant now)
    {
        var content = refused.Event.Content();
        if (content.Length > options.MaximumContentLength)
        {
            var end = options.MaximumContentLength;
            content = content[..(char.IsHighSurrogate(content[end - 1]) ? end - 1 : end)];
        }

        return DeadLetterList.Of(refused.Event.Format, content, refused.Error.Field, refused.Error.Reason, now);
    }

    [LoggerMessage(132, LogLevel.Error, "A tenant has {Kept} dead letters, as many as are kept; further ones wait in the dead letter topic")]
    private static partial void LogFull(ILogger logger, int kept);
}
