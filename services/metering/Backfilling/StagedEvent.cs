using System.Text.Json;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Backfilling;

/// <summary>An event that waits in a backfill, outside of the ledger and unique there by its key.</summary>
/// <param name="Id">Name of the document: the backfill and the key, or the extended key.</param>
/// <param name="Key">The key as sent, or as derived.</param>
/// <param name="Event">The event.</param>
/// <param name="Row">Its row in the file, from 1; 0 if there was no file.</param>
public sealed record StagedEvent(string Id, string Key, UsageEvent Event, long Row)
{
    public Fingerprint Fingerprint { get; } = Fingerprint.Of(Event);

    public KeyedEvent ToKeyed() => new(Event, Key);

    /// <summary>The same under a name of its own: another event has its derived key.</summary>
    public StagedEvent Extended() => this with { Id = DerivedKey.Extend(Id, Fingerprint) };

    /// <summary>Whether it can be extended: its key is derived, and it is not extended yet.</summary>
    public bool IsExtendable(TenantId tenant) =>
        DerivedKey.MayBe(Key) && Id.EndsWith('/' + Key, StringComparison.Ordinal) && Key == DerivedKey.Of(tenant, Event);

    internal static string PrefixOf(string backfill) => backfill + "/";

    internal static StagedEvent Of(TenantId tenant, string backfill, KeyedEvent sent, long row)
    {
        var key = string.IsNullOrEmpty(sent.Key) ? DerivedKey.Of(tenant, sent.Event) : sent.Key;
        return new StagedEvent(PrefixOf(backfill) + key, key, sent.Event, row);
    }

    internal StoredDocument ToDocument() => new(Id, JsonSerializer.Serialize(new Stored(
        Key, Event.Metric, Event.Customer, Event.Resource, Event.Quantity.ToString(), Event.Timestamp.Ticks, Event.Meta, Event.Source, Row)), 0);

    internal static StagedEvent Of(StoredDocument document)
    {
        var stored = JsonSerializer.Deserialize<Stored>(document.Body)!;
        var usage = new UsageEvent(
            stored.Metric, stored.Customer, stored.Resource, Quantity.Parse(stored.Quantity), new Instant(stored.Ticks), stored.Meta, stored.Source);
        return new StagedEvent(document.Id, stored.Key, usage, stored.Row);
    }

    private sealed record Stored(
        string Key, string Metric, string Customer, string Resource, string Quantity, long Ticks, string Meta, EventSource Source, long Row);
}

/// <summary>A row or an event of a backfill that does not count, and why.</summary>
/// <param name="Row">Its row in the file, from 1; 0 if there was no file.</param>
/// <param name="Line">The line on which the row begins, from 1; 0 if it is not known.</param>
/// <param name="Key">Its key; empty if it has none.</param>
/// <param name="Field">The field that is wrong, in the spelling of the protocol.</param>
/// <param name="Reason">Why, in a sentence without its subject.</param>
public sealed record BackfillProblem(long Row, long Line, string Key, string Field, string Reason)
{
    internal StoredDocument ToDocument(string backfill) =>
        new(FormattableString.Invariant($"{StagedEvent.PrefixOf(backfill)}{Row:D12}/{Key}"), JsonSerializer.Serialize(this), 0);
}

/// <summary>An event of a backfill that was in the ledger already, and where.</summary>
/// <param name="Row">Its row in the file, from 1; 0 if there was no file.</param>
/// <param name="Key">The key it stands under.</param>
/// <param name="Shard">Shard of the ledger.</param>
/// <param name="Position">Its place there.</param>
/// <param name="Session">The backfill it came by; empty if it came live.</param>
/// <param name="IsBuried">That backfill was taken back, so it counts nowhere.</param>
public sealed record BackfillDuplicate(long Row, string Key, int Shard, long Position, string Session, bool IsBuried)
{
    internal StoredDocument ToDocument(string backfill) =>
        new(FormattableString.Invariant($"{StagedEvent.PrefixOf(backfill)}{Row:D12}/{Key}"), JsonSerializer.Serialize(this), 0);
}
