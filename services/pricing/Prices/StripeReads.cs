using Stripe;
using StripeMeter.Defaults.Errors;

namespace StripeMeter.Pricing.Prices;

/// <summary>Asks Stripe, and tells what it refuses from what it does not answer.</summary>
internal static class StripeReads
{
    /// <summary>How mappings write the account of the configured key.</summary>
    public const string OwnAccount = "default";

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    private const int IdLength = 100;

    /// <summary>Whether a text can be an id at Stripe. It becomes part of an address and of headers.</summary>
    public static bool IsId(string text) =>
        text.Length is > 0 and <= IdLength && text.All(character => char.IsAsciiLetterOrDigit(character) || character == '_');

    /// <returns>What Stripe shows, or why it refuses to.</returns>
    /// <exception cref="Grpc.Core.RpcException">Stripe does not answer now.</exception>
    public static async Task<(T? Shown, string? Refusal)> AskAsync<T>(string what, Func<Task<T>> ask, CancellationToken cancellation)
        where T : class
    {
        try
        {
            return (await ask().ConfigureAwait(false), null);
        }
        catch (StripeException problem) when ((int)problem.HttpStatusCode is >= 400 and < 500 and not (408 or 409 or 429))
        {
            return (null, $"Stripe refuses to show {what}: {problem.StripeError?.Code ?? problem.Message}");
        }
        catch (Exception problem) when (problem is StripeException or HttpRequestException or TimeoutException
            || (problem is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            throw RpcErrors.Unavailable($"Stripe does not show {what} now.", RetryAfter);
        }
    }
}
