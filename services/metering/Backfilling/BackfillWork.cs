namespace StripeMeter.Metering.Backfilling;

/// <summary>
/// Names what a decision left to be done, one name a decision: it is there before the decision is, and goes when that one is
/// carried out. So no step that lags can take away the name of a later decision.
/// </summary>
internal readonly record struct BackfillWork(string Backfill, BackfillState Decided)
{
    public string Id => $"{Backfill}/{(int)Decided}";

    public static BackfillWork Of(string id)
    {
        var slash = id.LastIndexOf('/');
        return new BackfillWork(id[..slash], (BackfillState)(id[^1] - '0'));
    }

    /// <summary>Whether a backfill that stands so needs this name no more.</summary>
    public bool IsDone(BackfillState? state) =>
        state is null or BackfillState.Reverted || (state == BackfillState.Committed && Decided == BackfillState.Committing);
}
