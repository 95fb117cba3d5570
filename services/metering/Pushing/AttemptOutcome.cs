namespace StripeMeter.Metering.Pushing;

/// <summary>What an attempt to push says about itself. Only the first two say something about the attempts before it.</summary>
public enum AttemptResult
{
    /// <summary>Stripe answered 200.</summary>
    Accepted,

    /// <summary>Stripe knows the identifier: it took this intent before.</summary>
    Duplicate,

    /// <summary>Stripe refused it as wrong (a definite 4xx), so this attempt was not taken.</summary>
    Refused,

    /// <summary>The key may not do that (401, 403), so this attempt was not taken.</summary>
    Unauthorized,

    /// <summary>It did not reach the place where it is executed: 429, 409, or no connection.</summary>
    NotExecuted,

    /// <summary>Timeout, lost connection, 5xx, a 200 that cannot be read: it may have been taken.</summary>
    Unknown,

    /// <summary>As <see cref="Unknown"/>, and Stripe may have stored the error under the idempotency key.</summary>
    UnknownStored,
}

/// <summary>How an attempt ended.</summary>
/// <param name="Result">What is known.</param>
/// <param name="Message">What Stripe or the network said.</param>
/// <param name="RetryAfter">How long to wait at least, if it said that.</param>
public readonly record struct AttemptOutcome(AttemptResult Result, string Message = "", TimeSpan? RetryAfter = null);
