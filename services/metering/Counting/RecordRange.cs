using StripeMeter.Metering.Ledger;

namespace StripeMeter.Metering.Counting;

/// <summary>Records at consecutive positions of a shard log, as a message carries them. Never empty.</summary>
public sealed record RecordRange
{
    /// <exception cref="ArgumentException">The range is empty, or a position is skipped.</exception>
    public RecordRange(string logId, IReadOnlyList<Countable> records)
    {
        ArgumentNullException.ThrowIfNull(records);
        if (records.Count == 0)
            throw new ArgumentException("A range holds at least one record.", nameof(records));
        for (var index = 0; index < records.Count; index++)
        {
            if (records[index].Position != records[0].Position + index)
                throw new ArgumentException("The positions of a range follow each other.", nameof(records));
        }

        (LogId, Records) = (logId, records);
    }

    public string LogId { get; }

    public IReadOnlyList<Countable> Records { get; }

    public long First => Records[0].Position;

    public long Last => Records[^1].Position;
}
