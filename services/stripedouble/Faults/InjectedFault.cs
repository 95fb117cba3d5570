namespace StripeMeter.StripeDouble.Faults;

/// <summary>What goes wrong with one request that brings meter events.</summary>
/// <param name="FailsBeforeCommit">500, stored under the idempotency key, and nothing done.</param>
/// <param name="FailsAfterCommit">500, stored under the idempotency key, although the events are taken.</param>
/// <param name="LosesReply">The events are taken, and the connection breaks.</param>
/// <param name="Rejections">How many of its events, the first ones, are rejected after it was answered 200.</param>
/// <param name="RejectCode">The code with which they are.</param>
internal readonly record struct InjectedFault(
    bool FailsBeforeCommit, bool FailsAfterCommit, bool LosesReply, int Rejections, string RejectCode)
{
    /// <summary>The code with which an event of the request is rejected, by its place from 0; null when it is not.</summary>
    public string? RejectionOf(int index) => index < Rejections ? RejectCode : null;
}
