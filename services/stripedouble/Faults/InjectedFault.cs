namespace StripeMeter.StripeDouble.Faults;

/// <summary>What goes wrong with one meter event.</summary>
/// <param name="FailsBeforeCommit">500, stored under the idempotency key, and nothing done.</param>
/// <param name="FailsAfterCommit">500, stored under the idempotency key, although the event is taken.</param>
/// <param name="LosesReply">The event is taken, and the connection breaks.</param>
/// <param name="Rejection">The code with which it is rejected after it was answered 200; null when it is not.</param>
internal readonly record struct InjectedFault(bool FailsBeforeCommit, bool FailsAfterCommit, bool LosesReply, string? Rejection);
