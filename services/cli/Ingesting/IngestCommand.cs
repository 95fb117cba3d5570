using System.CommandLine;
using StripeMeter.Cli.Commands;
using StripeMeter.Cli.Printing;
using StripeMeter.EventFiles;

namespace StripeMeter.Cli.Ingesting;

/// <summary><c>stripemeter ingest FILE</c>: sends the events of a file as any client does.</summary>
internal static class IngestCommand
{
    private const int MaximumProblems = 1_000;

    public static Command Create(CliHost host)
    {
        var file = new FileArguments();
        var batchSize = new Option<int>("--batch-size") { Description = "Events of a request, 1 to 1000.", DefaultValueFactory = _ => 500 };
        var concurrency = new Option<int>("--concurrency") { Description = "Requests under way at a time, 1 to 64.", DefaultValueFactory = _ => 4 };
        batchSize.Within(1, 1_000);
        concurrency.Within(1, 64);
        var command = new Command(
            "ingest",
            "Sends the events of a file. Sending a file again is safe: what is stored already answers duplicate. "
            + "Exit code 1 if a row was refused.") { batchSize, concurrency };
        file.AddTo(command);
        return command.Does(host, (call, cancellation) =>
            RunAsync(call, file, call.Required(batchSize), call.Required(concurrency), cancellation));
    }

    private static async Task<int> RunAsync(
        CommandCall call, FileArguments file, int batchSize, int concurrency, CancellationToken cancellation)
    {
        var format = file.FormatOf(call);
        var content = file.Open(call);
        await using var _ = content.ConfigureAwait(false);
        var (tally, progress) = (new IngestTally(MaximumProblems), new Progress(call.Host));
        var sender = new FileSender(call.Rest, "/v1/events/ingest", tally, progress);
        try
        {
            var rows = EventFile.ReadAsync(content, format, file.Defaults(call), cancellation);
            await sender.SendAsync(rows, batchSize, concurrency, cancellation).ConfigureAwait(false);
        }
        finally
        {
            // When it fails, too, it is told how far it came.
            progress.End();
            await ReportAsync(call, tally, sender.Unread).ConfigureAwait(false);
        }

        return tally.IsClean && sender.Unread is null ? ExitCode.Ok : ExitCode.Failed;
    }

    private static async Task ReportAsync(CommandCall call, IngestTally tally, string? unread)
    {
        await tally.WriteProblemsAsync(call.Host.Error).ConfigureAwait(false);
        if (unread is not null)
            await Failures.WriteAsync(call.Host, unread).ConfigureAwait(false);
        await call.Printer.WriteAsync(tally.ToJson(), _ => tally.ToTable()).ConfigureAwait(false);
    }
}
