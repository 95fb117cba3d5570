using Dapr.Actors;

namespace StripeMeter.Aggregator.CounterShards;

/// <summary>
/// The actor that folds one shard of a tenant's ledger. Arguments and results are protobuf bytes, because daprd rounds
/// JSON numbers.
/// </summary>
public interface ICounterShard : IActor
{
    /// <summary>Folds ranges that arrived in messages.</summary>
    /// <param name="request">A <see cref="V1.FoldRequest"/>.</param>
    Task<FoldReply> FoldAsync(byte[] request);

    /// <summary>Folds what the log holds beyond the place reached, and fills holes that have stayed long enough.</summary>
    Task<FoldReply> CatchUpAsync();

    /// <summary>Takes over counters that were counted anew.</summary>
    /// <param name="request">A <see cref="V1.RecountInstall"/>.</param>
    Task<InstallReply> InstallAsync(byte[] request);

    /// <summary>A counter as folded so far.</summary>
    /// <param name="request">A <see cref="V1.GetCounterRequest"/>.</param>
    /// <returns>A <see cref="V1.Counter"/>; empty if nothing was counted.</returns>
    Task<byte[]> ReadAsync(byte[] request);
}

/// <summary>How far a turn came; see <see cref="Metering.Counting.FoldResult"/>. A plain class: the SDK's default serialisation makes it through a parameterless constructor.</summary>
public sealed class FoldReply
{
    public long Folded { get; set; }

    public bool Behind { get; set; }

    public int Counted { get; set; }
}

/// <summary>What became of an install; see <see cref="Metering.Counting.InstallResult"/>.</summary>
public sealed class InstallReply
{
    /// <summary>A <see cref="Metering.Counting.InstallOutcome"/>.</summary>
    public int Outcome { get; set; }

    public long Folded { get; set; }
}
