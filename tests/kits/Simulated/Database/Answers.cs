using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Kits.Simulated.Database;

/// <summary>What an event was answered, and when.</summary>
internal readonly record struct Answer(TenantId Tenant, KeyedEvent Sent, EventOutcome Outcome);

/// <summary>
/// Every answer that clients were given. What an answer rests on must be durable when it is given, so each is held
/// against the log at once, and again at the end.
/// </summary>
public sealed class Answers(SimulatedDatabase database, Tally tally)
{
    private readonly List<Answer> _given = [];
    private readonly List<KeyedEvent> _unanswered = [];
    private readonly List<string> _wrong = [];

    /// <summary>Events that clients gave up.</summary>
    public IReadOnlyList<KeyedEvent> Unanswered => _unanswered;

    public void GiveUp(IEnumerable<KeyedEvent> events) => _unanswered.AddRange(events);

    public void Give(TenantId tenant, IReadOnlyList<KeyedEvent> events, IReadOnlyList<EventOutcome> outcomes)
    {
        for (var index = 0; index < events.Count; index++)
        {
            var answer = new Answer(tenant, events[index], outcomes[index]);
            _given.Add(answer);
            Note(answer);
            if (Check(answer) is { } wrong)
                _wrong.Add($"When answered: {wrong}");
        }
    }

    /// <summary>What was answered and is not so: it must still stand, and only one answer per key said that it was new.</summary>
    public IEnumerable<string> Disagreements() =>
    [
        .. _wrong,
        .. _given.Select(Check).OfType<string>().Select(wrong => $"In the end: {wrong}"),
        .. _given.Where(answer => answer.Outcome.Status == IngestStatus.Accepted).GroupBy(answer => (answer.Tenant, answer.Outcome.Key))
            .Where(answers => answers.Count() > 1).Select(key => $"{key.Key.Tenant} {key.Key.Key} was accepted {key.Count()} times."),
    ];

    /// <summary>What an answer claims and the log does not hold; null if the answer is right.</summary>
    private string? Check(Answer answer)
    {
        var (status, key, late) = answer.Outcome;
        var stands = database.RecordOf(answer.Tenant, new RecordKey(KeySpace.Client, key));
        if (stands is null)
            return $"{answer.Tenant} {key} was answered {status} and is not in the log.";
        var isSame = stands.Fingerprint == Fingerprint.Of(answer.Sent.Event);
        if (isSame == (status == IngestStatus.Conflict))
            return $"{answer.Tenant} {key} was answered {status}, and the body in the log is {(isSame ? "the same" : "another")}.";
        if (status == IngestStatus.Conflict && IsDerived(answer.Tenant, answer.Sent))
            return $"{answer.Tenant} {key} was answered {status}, though the key was derived.";
        return late == stands.Late ? null : $"{answer.Tenant} {key} was answered late: {late}, and the record says {stands.Late}.";
    }

    private static bool IsDerived(TenantId tenant, KeyedEvent sent) =>
        string.IsNullOrEmpty(sent.Key) || sent.Key == DerivedKey.Of(tenant, sent.Event);

    private void Note(Answer answer)
    {
        if (answer.Outcome.Status == IngestStatus.Duplicate)
            tally.Note(Situation.DuplicateAnswered);
        if (answer.Outcome.Status == IngestStatus.Conflict)
            tally.Note(Situation.ConflictAnswered);
        if (answer.Outcome.Late)
            tally.Note(Situation.LateEventHeld);
        if (answer.Sent.Key is null && !DerivedKey.MayBe(answer.Outcome.Key))
            tally.Note(Situation.KeyExtended);
    }
}
