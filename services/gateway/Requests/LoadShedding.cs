using StripeMeter.Defaults.Access;
using StripeMeter.Gateway.Errors;

namespace StripeMeter.Gateway.Requests;

/// <summary>
/// Serves so many requests at a time and refuses more at once, before their bodies are read: what is waiting costs memory,
/// and is answered too late to be of use. Health is always answered.
/// </summary>
public sealed class LoadShedding(RequestDelegate next, GatewayOptions options, AccessInstruments instruments)
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);
    private static readonly PathString Health = "/health";
    private int _served;

    public async Task InvokeAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        try
        {
            if (Interlocked.Increment(ref _served) <= options.ConcurrentRequests || context.Request.Path.StartsWithSegments(Health))
            {
                await next(context).ConfigureAwait(false);
                return;
            }
        }
        finally
        {
            Interlocked.Decrement(ref _served);
        }

        instruments.Shed();
        throw new ProblemException(Problem.Overloaded("Too many requests are being served.", RetryAfter));
    }
}
