namespace StripeMeter.Metering.Work;

/// <summary>What ends one piece of work, and what ends all of it.</summary>
public static class WorkFailures
{
    /// <summary>
    /// Whether the piece alone has failed and the work goes on. A call that ran out of its own time is cancelled like one that is told to
    /// stop (the client of Dapr's actors throws so after 100 s), so only the token tells them apart.
    /// </summary>
    /// <param name="problem">What was thrown.</param>
    /// <param name="stopping">Told when all of the work is to end.</param>
    public static bool IsOfThePiece(this Exception problem, CancellationToken stopping) =>
        problem is not OperationCanceledException || !stopping.IsCancellationRequested;
}
