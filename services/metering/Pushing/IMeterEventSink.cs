using StripeMeter.Metering.Quantities;

namespace StripeMeter.Metering.Pushing;

/// <summary>The way to Stripe's meters.</summary>
public interface IMeterEventSink
{
    /// <summary>Waits until the account may be called once more, or says why it may not.</summary>
    /// <param name="key">The document that wants to push.</param>
    /// <param name="minting">The meter of an intent that is still to be minted; null when one is sent again.</param>
    /// <param name="cancellation">Ends the wait.</param>
    Task<Admission> AdmitAsync(DeltaKey key, MeterNames? minting, CancellationToken cancellation);

    /// <summary>Sends an intent once. Throws only when cancelled, and then whether it was taken is not known.</summary>
    Task<AttemptOutcome> SendAsync(DeltaKey key, PushIntent intent, CancellationToken cancellation);

    /// <summary>
    /// What Stripe's summaries hold where only this intent is: its minute. Null if they cannot be read now. Zero may mean
    /// that they lag.
    /// </summary>
    Task<Quantity?> ReadAsync(DeltaKey key, PushIntent intent, CancellationToken cancellation);
}

/// <summary>Whether a document may push now.</summary>
/// <param name="IsAdmitted">It may.</param>
/// <param name="Problem">Why this document may not; null if the whole account may not.</param>
/// <param name="HoldFor">For how long.</param>
public readonly record struct Admission(bool IsAdmitted, string? Problem = null, TimeSpan HoldFor = default)
{
    public static Admission Granted { get; } = new(true);

    /// <summary>The account is not called at all for now; nothing is entered into its documents.</summary>
    public static Admission AccountClosed { get; } = new(false);

    public static Admission Held(string problem, TimeSpan holdFor) => new(false, problem, holdFor);
}
