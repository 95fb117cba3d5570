namespace StripeMeter.Defaults.Invocation;

/// <summary>The deadline of the gRPC call that is being served, for the calls it makes.</summary>
internal static class CallDeadline
{
    private static readonly AsyncLocal<DateTime?> Served = new();

    /// <summary>In UTC. Null: no call is being served, or it has none.</summary>
    public static DateTime? Current => Served.Value;

    /// <summary>Holds for what is called until it is disposed of.</summary>
    public static Scope Enter(DateTime deadline)
    {
        var before = Served.Value;
        Served.Value = deadline == DateTime.MaxValue ? null : deadline;
        return new Scope(before);
    }

    public readonly struct Scope(DateTime? before) : IDisposable
    {
        public void Dispose() => Served.Value = before;
    }
}
