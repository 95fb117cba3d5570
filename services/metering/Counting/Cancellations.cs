using StripeMeter.Metering.Ledger;

namespace StripeMeter.Metering.Counting;

/// <summary>
/// Knows what was cancelled before it came: approvals whose revert stands before them in the log, and events of sessions
/// whose exclusion does. What is cancelled afterwards, a recount takes out.
/// </summary>
internal sealed class Cancellations(int shard, ILedger ledger, int heldSessions)
{
    private const long Never = long.MaxValue;
    private readonly Dictionary<string, long> _exclusions = [];
    private readonly HashSet<string> _cancelled = [];

    /// <summary>Learns what it takes to judge these records. Looks nothing up for plain ones.</summary>
    public async Task PrepareAsync(List<Countable> records, CancellationToken cancellation)
    {
        _cancelled.Clear();
        if (_exclusions.Count > heldSessions)
            _exclusions.Clear();
        var approvals = records.FindAll(record => record.IsApproval).ConvertAll(approval => (Record: approval, Key: RevertOf(approval)));
        var sessions = records.FindAll(record => record.Session.Length > 0 && !_exclusions.ContainsKey(record.Session))
            .Select(record => record.Session).Distinct().ToArray();
        if (approvals.Count == 0 && sessions.Length == 0)
            return;
        RecordKey[] keys = [.. approvals.Select(approval => approval.Key), .. sessions.Select(ExclusionOf)];
        var found = await ledger.FindAsync(keys, cancellation).ConfigureAwait(false);
        foreach (var (record, key) in approvals)
        {
            if (found.TryGetValue(key, out var revert) && revert.Position < record.Position)
                _cancelled.Add(record.Key);
        }

        foreach (var session in sessions)
            _exclusions[session] = found.TryGetValue(ExclusionOf(session), out var exclusion) ? exclusion.Position : Never;
    }

    /// <summary>Takes note of an exclusion that stands in the log at this place.</summary>
    public void Note(in Countable exclusion) => _exclusions[exclusion.Control!.Subject] = exclusion.Position;

    /// <summary>Whether something before the record in the log keeps it from counting.</summary>
    public bool IsCancelled(in Countable record) => record.Session.Length > 0
        ? _exclusions[record.Session] < record.Position
        : record.IsApproval && _cancelled.Contains(record.Key);

    public void Forget() => _exclusions.Clear();

    private static RecordKey RevertOf(Countable approval) =>
        new(KeySpace.Control, ControlRecords.RevertKey(approval.Kind, approval.Control!.Subject));

    private RecordKey ExclusionOf(string session) => new(KeySpace.Control, ControlRecords.ExclusionKey(session, shard));
}
