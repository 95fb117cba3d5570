using System.Text.Json.Nodes;
using StripeMeter.Cli.Commands;
using StripeMeter.Cli.Printing;
using StripeMeter.Cli.Rest;

namespace StripeMeter.Cli.Backfilling;

/// <summary>Commits a backfill and follows it to its end.</summary>
internal static class BackfillFinish
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);
    private static readonly HashSet<string> AtWork = ["open", "pending", "processing", "reverting"];

    /// <summary>Exit code 1 if an event clashes with another, or the backfill was taken back on the way.</summary>
    public static async Task<int> CommitAsync(CommandCall call, string id, string tenant, CancellationToken cancellation)
    {
        var path = BackfillCommand.PathOf(id);
        await call.Rest.PostAsync(path + "/commit", new JsonObject { ["tenantId"] = tenant }, cancellation).ConfigureAwait(false);
        var progress = new Progress(call.Host);
        JsonNode backfill;
        while (true)
        {
            backfill = await call.Rest.GetAsync(RestAddress.Of(path, ("tenantId", tenant)), cancellation).ConfigureAwait(false);
            if (!AtWork.Contains(backfill.Text("status")))
                break;
            progress.Show($"{backfill.Text("processedEvents")} of {backfill.Text("totalEvents")} events");
            await Task.Delay(Pause, call.Host.Clock, cancellation).ConfigureAwait(false);
        }

        progress.End();
        await call.Printer.WriteAsync(backfill, document => BackfillCommand.ToTable([document])).ConfigureAwait(false);
        if (backfill.Text("revertedDuplicateEvents") is not "0" and var buried)
            await call.Printer.WriteNoteAsync($"{buried} duplicates are events of a backfill that was taken back: they count nowhere.").ConfigureAwait(false);
        return backfill.Text("status") == "completed" && backfill.Text("failedEvents") == "0" ? ExitCode.Ok : ExitCode.Failed;
    }
}
