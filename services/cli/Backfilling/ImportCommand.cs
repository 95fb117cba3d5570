using System.CommandLine;
using System.Text.Json.Nodes;
using StripeMeter.Cli.Commands;
using StripeMeter.Cli.Ingesting;
using StripeMeter.Cli.Printing;
using StripeMeter.Cli.Rest;
using StripeMeter.EventFiles;

namespace StripeMeter.Cli.Backfilling;

/// <summary>
/// <c>stripemeter backfill import FILE</c>: opens a backfill, has the events of a file wait in it, and commits it. What breaks off
/// can be gone on with: events that wait already are told from new ones by their keys.
/// </summary>
internal static class ImportCommand
{
    private const int BatchSize = 500;
    private const int MaximumProblems = 1_000;

    public static Command Create(CliHost host)
    {
        var file = new FileArguments();
        file.Tenant.Required = true;
        file.Tenant.Description = "The tenant. Rows may name no other.";
        var reason = new Option<string?>("--reason") { Description = "Why; kept. Required unless --into is given." };
        var from = new Option<string?>("--from") { Description = "Refuse rows before this day or moment." };
        var to = new Option<string?>("--to") { Description = "Refuse rows behind this day or moment." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Append nothing; say what would be." };
        var hold = new Option<bool>("--hold") { Description = "Leave the backfill open, to be previewed and committed by hand." };
        var into = new Option<string?>("--into") { Description = "Go on with this open backfill instead of opening one.", HelpName = "ID" };
        var command = new Command(
            "import", "Brings the events of a file in: all of them wait, then they count together. Exit code 1 if a row was refused.")
        {
            reason, from, to, dryRun, hold, into,
        };
        file.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetValue(into) is null && string.IsNullOrEmpty(result.GetValue(reason)))
                result.AddError("--reason is required: say why these events come now.");
        });
        return command.Does(host, async (call, cancellation) =>
        {
            var tenant = call.Value(file.Tenant)!;
            var id = call.Value(into) ?? await OpenAsync(
                call,
                new JsonObject
                {
                    ["tenantId"] = tenant, ["reason"] = call.Value(reason), ["periodStart"] = call.Value(from), ["periodEnd"] = call.Value(to),
                    ["dryRun"] = call.Value(dryRun),
                },
                cancellation).ConfigureAwait(false);
            return await FillAsync(call, file, id, tenant, call.Value(hold), cancellation).ConfigureAwait(false);
        });
    }

    private static async Task<string> OpenAsync(CommandCall call, JsonObject body, CancellationToken cancellation)
    {
        var opened = await call.Rest.PostAsync(BackfillCommand.Path + "/sessions", body, cancellation).ConfigureAwait(false);
        return opened.Text("id");
    }

    private static async Task<int> FillAsync(
        CommandCall call, FileArguments file, string id, string tenant, bool hold, CancellationToken cancellation)
    {
        var format = file.FormatOf(call);
        var content = file.Open(call);
        await using var _ = content.ConfigureAwait(false);
        var (tally, progress) = (new IngestTally(MaximumProblems), new Progress(call.Host));
        var sender = new FileSender(call.Rest, RestAddress.Of(BackfillCommand.PathOf(id) + "/events", ("tenantId", tenant)), tally, progress);
        try
        {
            // In their order, one batch at a time, so that of two rows under one key the first always stands.
            var rows = EventFile.ReadAsync(content, format, file.Defaults(call) with { OnlyTenant = true }, cancellation);
            await sender.SendAsync(rows, BatchSize, 1, cancellation).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is RestException or IOException or OperationCanceledException)
        {
            progress.End();
            await GoOnAsync(call, id).ConfigureAwait(false);
            throw;
        }

        progress.End();
        await tally.WriteProblemsAsync(call.Host.Error).ConfigureAwait(false);
        if (sender.Unread is { } unread)
        {
            await Failures.WriteAsync(call.Host, unread).ConfigureAwait(false);
            await GoOnAsync(call, id).ConfigureAwait(false);
            return ExitCode.Failed;
        }

        if (hold)
        {
            await call.Printer.WriteAsync(
                new JsonObject { ["id"] = id, ["status"] = "open", ["rows"] = tally.ToJson() }, document => new Table("ID", "STATUS").Add(id, "open")).ConfigureAwait(false);
            await call.Printer.WriteNoteAsync($"Nothing counts yet: backfill preview {id}, then backfill commit {id} or backfill revert {id}.").ConfigureAwait(false);
            return tally.IsClean ? ExitCode.Ok : ExitCode.Failed;
        }

        var code = await BackfillFinish.CommitAsync(call, id, tenant, cancellation).ConfigureAwait(false);
        return tally.IsClean ? code : ExitCode.Failed;
    }

    private static Task GoOnAsync(CommandCall call, string id) => Failures.WriteAsync(
        call.Host, $"Nothing counts yet. Go on with --into {id}, or give it up: backfill revert {id}.");
}
