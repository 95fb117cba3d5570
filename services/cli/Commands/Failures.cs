using StripeMeter.Cli.Rest;

namespace StripeMeter.Cli.Commands;

/// <summary>Tells people what went wrong, on standard error.</summary>
internal static class Failures
{
    private const int MaximumShown = 20;

    public static Task WriteAsync(CliHost host, string message) => host.Error.WriteLineAsync($"stripemeter: {message}");

    /// <summary>A problem document: what, where, and how to ask about it.</summary>
    public static async Task WriteAsync(CliHost host, RestException refusal)
    {
        await WriteAsync(host, refusal.Message).ConfigureAwait(false);
        foreach (var error in refusal.Errors.Take(MaximumShown))
            await host.Error.WriteLineAsync($"  {error}").ConfigureAwait(false);
        if (refusal.Errors.Count > MaximumShown)
            await host.Error.WriteLineAsync($"  and {refusal.Errors.Count - MaximumShown} more").ConfigureAwait(false);
        if (refusal.RequestId.Length > 0)
            await host.Error.WriteLineAsync($"  request {refusal.RequestId}").ConfigureAwait(false);
    }
}
