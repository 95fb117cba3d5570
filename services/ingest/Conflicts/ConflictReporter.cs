using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Conflicts;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Ingest.Conflicts;

/// <summary>
/// Finds out in what refused events differ from those that stand, and keeps them for operators. An answer never fails
/// over this: what cannot be read or kept now is logged.
/// </summary>
public sealed partial class ConflictReporter(IMeterStore store, TimeProvider clock, ILogger<ConflictReporter> logger)
{
    private const int MaximumValueLength = 100;

    /// <summary>Reports refused events, each with the key it could not have. Returns one conflict for each, in their order.</summary>
    public async Task<IReadOnlyList<EventConflict>> ReportAsync(
        TenantId tenant, IReadOnlyList<KeyedEvent> refused, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(refused);
        var handle = store.Of(tenant);
        var standing = await FindAsync(handle, refused, cancellation).ConfigureAwait(false);
        var now = Instant.Of(clock.GetUtcNow());
        var conflicts = refused.Select(item => ConflictList.Of(
            item.Key!, item.Event, Fingerprint.Of(item.Event), standing.GetValueOrDefault(KeyOf(item)), now)).ToArray();
        try
        {
            await new ConflictList(handle.Documents).AddAsync(conflicts, cancellation).ConfigureAwait(false);
        }
        catch (StoreUnavailableException problem)
        {
            LogNotKept(logger, problem, conflicts.Length);
        }

        return conflicts;
    }

    /// <summary>What the answer says, in a sentence without its subject.</summary>
    public static string ReasonOf(IReadOnlyList<Metering.Conflicts.EventDifference> differences)
    {
        ArgumentNullException.ThrowIfNull(differences);
        const string Reason = "names another event, which stands";
        return differences.Count == 0
            ? Reason
            : $"{Reason}: it differs in {string.Join(", ", differences.Select(difference => difference.Field))}";
    }

    public static V1.EventDifference ToWire(Metering.Conflicts.EventDifference difference) => new()
    {
        Field = difference.Field, Sent = Shorten(difference.Sent), Standing = Shorten(difference.Standing),
    };

    public static V1.Conflict ToWire(EventConflict conflict)
    {
        var wire = new V1.Conflict
        {
            IdempotencyKey = conflict.Key,
            Metric = conflict.Metric,
            CustomerRef = conflict.Customer,
            Shard = Math.Max(conflict.Shard, 0),
            Position = conflict.Position,
            SeenTime = new Instant(conflict.SeenTicks).ToTimestamp(),
        };
        wire.Differences.AddRange(conflict.Differences.Select(ToWire));
        return wire;
    }

    private async Task<IReadOnlyDictionary<RecordKey, LedgerEntry>> FindAsync(
        ITenantStore handle, IReadOnlyList<KeyedEvent> refused, CancellationToken cancellation)
    {
        try
        {
            return await handle.Ledger.FindAsync([.. refused.Select(KeyOf)], cancellation).ConfigureAwait(false);
        }
        catch (StoreUnavailableException problem)
        {
            LogNotRead(logger, problem, refused.Count);
            return new Dictionary<RecordKey, LedgerEntry>();
        }
    }

    private static RecordKey KeyOf(KeyedEvent item) => new(KeySpace.Client, item.Key!);

    /// <summary>Meta may be long; people need to see that it differs, and the ledger has it whole.</summary>
    private static string Shorten(string value)
    {
        if (value.Length <= MaximumValueLength)
            return value;
        var end = char.IsHighSurrogate(value[MaximumValueLength - 1]) ? MaximumValueLength - 1 : MaximumValueLength;
        return value[..end] + "…";
    }

    [LoggerMessage(121, LogLevel.Warning, "{Count} conflicts could not be kept for the list of conflicts")]
    private static partial void LogNotKept(ILogger logger, Exception problem, int count);

    [LoggerMessage(122, LogLevel.Warning, "What stands under the keys of {Count} conflicts could not be read")]
    private static partial void LogNotRead(ILogger logger, Exception problem, int count);
}
