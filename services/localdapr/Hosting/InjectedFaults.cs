using System.Collections.Concurrent;

namespace StripeMeter.LocalDapr;

/// <summary>
/// Faults on request, for tests: what Dapr's promises allow (events twice and out of order, reminders twice) and what its MongoDB
/// component does (a save that reports success and is not there). Each call arms so many faults; each fault happens once.
/// </summary>
public sealed class InjectedFaults
{
    private readonly ConcurrentDictionary<(string Kind, string Target), int> _armed = new();

    /// <summary>The next <paramref name="count"/> deliveries of the topic arrive a second time.</summary>
    public void DuplicateDeliveries(string topic, int count = 1) => Arm("duplicate", topic, count);

    /// <summary>The next <paramref name="count"/> bulk deliveries of the topic arrive in reverse order.</summary>
    public void ReorderDeliveries(string topic, int count = 1) => Arm("reorder", topic, count);

    /// <summary>The next <paramref name="count"/> state transactions of the actor type report success and save nothing.</summary>
    public void LoseSaves(string actorType, int count = 1) => Arm("save", actorType, count);

    /// <summary>The next <paramref name="count"/> reminders of the actor type fire twice.</summary>
    public void DoubleReminders(string actorType, int count = 1) => Arm("reminder", actorType, count);

    internal bool TakeDuplicate(string topic) => Take("duplicate", topic);

    internal bool TakeReorder(string topic) => Take("reorder", topic);

    internal bool TakeLostSave(string actorType) => Take("save", actorType);

    internal bool TakeDoubleReminder(string actorType) => Take("reminder", actorType);

    private void Arm(string kind, string target, int count) => _armed.AddOrUpdate((kind, target), count, (_, armed) => armed + count);

    private bool Take(string kind, string target)
    {
        if (_armed.IsEmpty)
            return false;
        while (_armed.TryGetValue((kind, target), out var count) && count > 0)
        {
            if (_armed.TryUpdate((kind, target), count - 1, count))
                return true;
        }

        return false;
    }
}
