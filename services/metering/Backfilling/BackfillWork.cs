using System.Globalization;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Backfilling;

/// <summary>
/// Names what a decision left to be done, one name a decision: it is there before the decision is, and goes when that one is
/// carried out. So no step that lags can take away the name of a later decision.
/// </summary>
/// <param name="Backfill">The backfill.</param>
/// <param name="Decided">What it is to become. Open: the name watches an upload, and goes when that has come to an end.</param>
/// <param name="Revision">Of the document that the decision was to change. Once that has moved on, the decision cannot come any more.</param>
internal readonly record struct BackfillWork(string Backfill, BackfillState Decided, long Revision)
{
    // Of one width, so that none begins with another: names are deleted by how they begin.
    public string Id => FormattableString.Invariant($"{Backfill}/{(int)Decided}/{Revision:D12}");

    public static BackfillWork Of(string id)
    {
        var parts = id.Split('/');
        return new BackfillWork(
            parts[0], (BackfillState)int.Parse(parts[1], CultureInfo.InvariantCulture),
            parts.Length > 2 ? long.Parse(parts[2], CultureInfo.InvariantCulture) : 0);
    }

    public StoredDocument ToDocument(Instant now) => new(Id, now.Ticks.ToString(CultureInfo.InvariantCulture), 0);

    /// <summary>When a name was given.</summary>
    public static Instant NamedAt(StoredDocument document) =>
        long.TryParse(document.Body, NumberStyles.None, CultureInfo.InvariantCulture, out var ticks) ? new Instant(ticks) : Instant.Minimum;

    /// <summary>Whether a backfill that stands so needs this name no more.</summary>
    public bool IsDone(BackfillState? state) => state switch
    {
        null => Decided != BackfillState.Open,
        BackfillState.Reverted => true,
        BackfillState.Committed => Decided is BackfillState.Committing or BackfillState.Open,
        _ => false,
    };
}
