using System.Net;
using Stripe;
using StripeMeter.Metering.Pushing;

namespace StripeMeter.Pusher.StripeApi;

/// <summary>What an attempt to push came to, for its intent and for its account.</summary>
/// <param name="Outcome">For the intent.</param>
/// <param name="IsAccountLimited">The account is called too often.</param>
/// <param name="IsReached">A server answered.</param>
internal readonly record struct CallOutcome(AttemptOutcome Outcome, bool IsAccountLimited = false, bool IsReached = true);

/// <summary>
/// Tells what the ways in which a call to Stripe fails say about the meter event. Fails closed: what is not known to
/// be a refusal may have been taken.
/// </summary>
internal static class AttemptOutcomes
{
    private const string DuplicateText = "already exists with identifier";
    private const string DuplicateCode = "duplicate_meter_event";
    private const string LimitReason = "Stripe-Rate-Limited-Reason";
    private const string RetryHeader = "Stripe-Should-Retry";
    private const int LongestMessage = 500;
    private static readonly TimeSpan NotSoon = TimeSpan.FromMinutes(1);
    private static readonly string[] AccountLimits = ["global-concurrency", "global-rate", "endpoint-concurrency", "endpoint-rate"];

    /// <summary>Reads a failed call. <paramref name="identifier"/> is that of the intent.</summary>
    public static CallOutcome Of(Exception failure, string identifier) => failure switch
    {
        StripeException stripe => OfStripe(stripe, identifier),
        // Content is never sent twice by the handler, so without a connection none of it was sent.
        HttpRequestException
        {
            HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError,
        } => new(Message(AttemptResult.NotExecuted, failure), IsReached: false),
        _ => new(Message(AttemptResult.Unknown, failure), IsReached: false),
    };

    private static CallOutcome OfStripe(StripeException failure, string identifier)
    {
        if (failure.StripeError is not { } error)
            return new(Message(AttemptResult.Unknown, failure));
        var said = error.Message ?? "";
        return failure.HttpStatusCode switch
        {
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => new(Message(AttemptResult.Unauthorized, failure)),
            HttpStatusCode.TooManyRequests or HttpStatusCode.Conflict => OfLimit(failure),
            HttpStatusCode.BadRequest when error.Code == DuplicateCode
                || (said.Contains(DuplicateText, StringComparison.OrdinalIgnoreCase) && said.Contains(identifier, StringComparison.Ordinal)) =>
                new(Message(AttemptResult.Duplicate, failure)),
            // Where Stripe itself says that the same may do later, it was not refused for what it says.
            >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError and not HttpStatusCode.RequestTimeout =>
                new(Message(ShouldRetry(failure) == true ? AttemptResult.NotExecuted : AttemptResult.Refused, failure)),
            >= HttpStatusCode.InternalServerError => new(Message(AttemptResult.UnknownStored, failure)),
            _ => new(Message(AttemptResult.Unknown, failure)),
        };
    }

    private static CallOutcome OfLimit(StripeException failure)
    {
        var headers = failure.StripeResponse?.Headers;
        var reason = headers is not null && headers.TryGetValues(LimitReason, out var reasons) ? reasons.FirstOrDefault() : null;
        return new(
            Message(AttemptResult.NotExecuted, failure) with
            {
                RetryAfter = headers?.RetryAfter?.Delta ?? (ShouldRetry(failure) == false ? NotSoon : null),
            },
            IsAccountLimited: AccountLimits.Contains(reason));
    }

    /// <summary>What Stripe says about sending the same again; null if it says nothing.</summary>
    private static bool? ShouldRetry(StripeException failure) =>
        failure.StripeResponse?.Headers is { } headers && headers.TryGetValues(RetryHeader, out var said) && bool.TryParse(said.FirstOrDefault(), out var should)
            ? should
            : null;

    private static AttemptOutcome Message(AttemptResult result, Exception failure)
    {
        var text = StripeCalls.Explain(failure);
        return new AttemptOutcome(result, text.Length > LongestMessage ? text[..LongestMessage] : text);
    }
}
