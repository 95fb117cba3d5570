using StripeMeter.Metering.Counting;

namespace StripeMeter.Storage.Mongo.Documents;

/// <summary>How far a shard is projected.</summary>
internal sealed class ProgressDocument
{
    public required string Id { get; init; }

    public required string LogId { get; init; }

    public required long Position { get; init; }

    public ShardProgress ToProgress() => new(LogId, Position);
}
