using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Counting;

/// <content>Holes: positions whose writer has not written yet, or has died.</content>
public sealed partial class ShardFolder
{
    private void NoteHole(ShardHead head, bool reachedLimit)
    {
        if (_folded.Position >= head.Position || reachedLimit)
            _hole = null;
        else if (_hole?.Before != _folded.Position)
            _hole = new Hole(_folded.Position, head.Position, clock.GetTimestamp());
    }

    /// <summary>
    /// Fills the hole we stand before, once it has stayed for the patience of the shard: its writer has died. Should it
    /// live after all, it finds its position taken, takes another one, and makes readers of the shard more patient.
    /// </summary>
    private async Task FillHolesAsync(ShardHead head, CancellationToken cancellation)
    {
        if (_hole is not { } hole || hole.Before != _folded.Position)
            return;
        var doublings = Math.Min(head.Displacements, options.MaximumPatienceDoublings);
        if (clock.GetElapsedTime(hole.SeenAt) < TimeSpan.FromTicks(options.HolePatience.Ticks << doublings))
            return;
        // Positions reserved after the hole was seen have not waited yet.
        var next = await ledger.ReadAsync(shard, hole.Before, 1, cancellation).ConfigureAwait(false);
        var last = next is [var record, ..] ? Math.Min(hole.Head, record.Position - 1) : hole.Head;
        last = Math.Min(last, hole.Before + options.TurnFills);
        for (var position = hole.Before + 1; position <= last; position++)
            await ledger.FillAsync(shard, position, Instant.Of(clock.GetUtcNow()), cancellation).ConfigureAwait(false);
        _hole = null;
    }

    private sealed record Hole(long Before, long Head, long SeenAt);
}
