using System.CommandLine;
using StripeMeter.Cli.Adjusting;
using StripeMeter.Cli.Auditing;
using StripeMeter.Cli.Backfilling;
using StripeMeter.Cli.Explaining;
using StripeMeter.Cli.Ingesting;
using StripeMeter.Cli.Keys;
using StripeMeter.Cli.Reconciling;
using StripeMeter.Cli.Replaying;
using StripeMeter.Cli.Simulating;

namespace StripeMeter.Cli.Commands;

/// <summary>The command <c>stripemeter</c>, with every command below it.</summary>
public static class StripeMeterCommand
{
    private const string Description = """
        Meters usage for Stripe, from the command line.

        Exit codes: 0 all was done; 1 something was refused or failed; 2 the command line is wrong.
        """;

    /// <summary>Runs a command line. Returns its <see cref="ExitCode"/>.</summary>
    public static async Task<int> RunAsync(string[] args, CliHost host, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(args);
        ArgumentNullException.ThrowIfNull(host);
        var line = Create(host).Parse(args);
        if (line.Errors.Count > 0)
        {
            foreach (var error in line.Errors)
                await Failures.WriteAsync(host, error.Message).ConfigureAwait(false);
            await host.Error.WriteLineAsync($"  {NameOf(line.CommandResult)} --help tells how.").ConfigureAwait(false);
            return ExitCode.Usage;
        }

        return await line.InvokeAsync(new InvocationConfiguration { Output = host.Out, Error = host.Error }, cancellation)
            .ConfigureAwait(false);
    }

    private static RootCommand Create(CliHost host)
    {
        var root = new RootCommand(Description)
        {
            IngestCommand.Create(host),
            BackfillCommand.Create(host),
            ReplayCommand.Create(host),
            AdjustCommand.Create(host),
            ExplainCommand.Create(host),
            AuditCommand.Create(host),
            ReconcileCommand.Create(host),
            SimulateCommand.Create(host),
            KeysCommand.Create(host),
            AuditLogCommand.Create(host),
        };
        foreach (var older in AdjustCommand.CreateOlder(host))
            root.Add(older);
        foreach (var option in CommonOptions.All)
            root.Add(option);
        return root;
    }

    private static string NameOf(System.CommandLine.Parsing.CommandResult command) =>
        command.Parent is System.CommandLine.Parsing.CommandResult parent ? $"{NameOf(parent)} {command.Command.Name}" : "stripemeter";
}
