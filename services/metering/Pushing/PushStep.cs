using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Pushing;

/// <summary>What is to be done next with a document.</summary>
public abstract record PushStep
{
    private PushStep()
    {
    }

    /// <summary>Nothing now.</summary>
    /// <param name="Until">When to look again; null if nothing is to be done, or only a human can.</param>
    public sealed record Rest(Instant? Until) : PushStep;

    /// <summary>Save the document.</summary>
    public sealed record Keep(DeltaDocument Document) : PushStep;

    /// <summary>Copy the closed intent to the history, then save the document without it.</summary>
    public sealed record Close(PushIntent Intent, DeltaDocument Document) : PushStep;

    /// <summary>Read the history, and sort what was told into the periods as they are cut now.</summary>
    /// <param name="AfterClosing">Behind which entry what is to be sorted begins.</param>
    public sealed record Sort(long AfterClosing) : PushStep;

    /// <summary>Read what Stripe's summaries hold of the intent, and enter that.</summary>
    public sealed record Read(PushIntent Intent) : PushStep;

    /// <summary>Save the document, then send its open intent.</summary>
    public sealed record Attempt(DeltaDocument Document) : PushStep;
}
