using System.CommandLine;
using StripeMeter.Cli.Printing;
using StripeMeter.Cli.Rest;

namespace StripeMeter.Cli.Commands;

/// <summary>One call of a command: its arguments, and what it talks to.</summary>
internal sealed class CommandCall(ParseResult line, CliHost host, RestClient rest)
{
    public CliHost Host => host;

    public RestClient Rest => rest;

    public Printer Printer { get; } = new(host, line.GetValue(CommonOptions.Output));

    public T? Value<T>(Option<T> option) => line.GetValue(option);

    public T Required<T>(Option<T> option) => line.GetRequiredValue(option);

    public T Required<T>(Argument<T> argument) => line.GetRequiredValue(argument);

    /// <summary>Whether the command line itself gives the option.</summary>
    public bool Gives(Option option) => line.GetResult(option) is { Implicit: false };
}

/// <summary>Binds commands to what they do.</summary>
internal static class CommandCalls
{
    /// <summary>Runs <paramref name="run"/>, which returns an <see cref="ExitCode"/>, and explains what it throws.</summary>
    public static Command Does(
        this Command command, CliHost host, Func<CommandCall, CancellationToken, Task<int>> run)
    {
        command.SetAction(async (line, cancellation) =>
        {
            try
            {
                using var http = RestClient.Connect(
                    CommonOptions.UrlOf(line, host), KeyOf(line, host), TimeSpan.FromSeconds(line.GetValue(CommonOptions.TimeoutSeconds)));
                var call = new CommandCall(line, host, new RestClient(http, host.Clock));
                return await run(call, cancellation).ConfigureAwait(false);
            }
            catch (RestException refusal)
            {
                await Failures.WriteAsync(host, refusal).ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is CliException or IOException or UnauthorizedAccessException)
            {
                await Failures.WriteAsync(host, failure.Message).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                await Failures.WriteAsync(host, "Stopped. What was done stands; running the command again is safe.").ConfigureAwait(false);
            }

            return ExitCode.Failed;
        });
        return command;
    }

    private static string? KeyOf(ParseResult line, CliHost host) =>
        line.GetValue(CommonOptions.ApiKey) ?? host.Variable(CommonOptions.KeyVariable);
}
