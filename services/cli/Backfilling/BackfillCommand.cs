using System.CommandLine;
using System.Text.Json.Nodes;
using StripeMeter.Cli.Commands;
using StripeMeter.Cli.Printing;
using StripeMeter.Cli.Rest;

namespace StripeMeter.Cli.Backfilling;

/// <summary><c>stripemeter backfill</c>: events of the past, which count together or not at all.</summary>
internal static class BackfillCommand
{
    public const string Path = "/v1/events/backfill";

    public static Command Create(CliHost host) => new(
        "backfill", "Brings events of the past in. They wait unseen, count together, and can be taken back together.")
    {
        ImportCommand.Create(host), List(host), Show(host), Problems(host), Preview(host), Commit(host), Revert(host),
    };

    public static Table ToTable(IEnumerable<JsonNode> backfills) => backfills.Aggregate(
        new Table("ID", "STATUS", "TOTAL", "ACCEPTED", "DUPLICATES", "FAILED", "REASON"),
        (table, backfill) => table.Add(
            backfill.Text("id"), backfill.Text("status"), backfill.Text("totalEvents"), backfill.Text("acceptedEvents"),
            backfill.Text("duplicateEvents"), backfill.Text("failedEvents"), backfill.Text("reason")));

    public static string PathOf(string id) => $"{Path}/{Uri.EscapeDataString(id)}";

    private static Command List(CliHost host)
    {
        var (tenant, limit) = (TenantOptions.Tenant(), TenantOptions.Limit(50, 100));
        var status = new Option<string?>("--status") { Description = "open, pending, processing, completed, failed, cancelled, reverting or reverted." };
        var command = new Command("list", "The backfills of a tenant, newest first.") { tenant, status, limit };
        return command.Does(host, async (call, cancellation) =>
        {
            var address = RestAddress.Of(
                Path, ("tenantId", call.Required(tenant)), ("status", call.Value(status)), ("limit", FormattableString.Invariant($"{call.Required(limit)}")));
            var page = await call.Rest.GetAsync(address, cancellation).ConfigureAwait(false);
            await call.Printer.WriteAsync(page, document => ToTable(document.Items("operations"))).ConfigureAwait(false);
            await call.Printer.WriteNoteAsync($"{page.Text("total")} in all").ConfigureAwait(false);
            return ExitCode.Ok;
        });
    }

    private static Command Show(CliHost host)
    {
        var (tenant, id) = (TenantOptions.Tenant(), Id());
        return new Command("show", "How a backfill stands.") { id, tenant }.Does(host, async (call, cancellation) =>
        {
            var found = await call.Rest.GetAsync(
                RestAddress.Of(PathOf(call.Required(id)), ("tenantId", call.Required(tenant))), cancellation).ConfigureAwait(false);
            await call.Printer.WriteAsync(found, document => document.AsObject().Aggregate(
                new Table("WHAT", "VALUE"), (table, member) => table.Add(member.Key, document.Text(member.Key)))).ConfigureAwait(false);
            return ExitCode.Ok;
        });
    }

    private static Command Problems(CliHost host)
    {
        var (tenant, id, limit) = (TenantOptions.Tenant(), Id(), TenantOptions.Limit(100, 10_000));
        return new Command("problems", "Rows that were refused, and events that clash with others.") { id, tenant, limit }.Does(host, async (call, cancellation) =>
        {
            var listed = await call.Rest.ItemsAsync(
                PathOf(call.Required(id)) + "/problems", "problems", call.Required(limit), [("tenantId", call.Required(tenant))], cancellation).ConfigureAwait(false);
            await call.Printer.WriteAsync(new JsonObject { ["problems"] = listed }, document => document.Items("problems").Aggregate(
                new Table("ROW", "LINE", "KEY", "ERROR"),
                (table, problem) => table.Add(problem.Text("row"), problem.Text("line"), problem.Text("idempotencyKey"), problem.Text("error")))).ConfigureAwait(false);
            return ExitCode.Ok;
        });
    }

    private static Command Preview(CliHost host)
    {
        var (tenant, id) = (TenantOptions.Tenant(), Id());
        return new Command("preview", "What committing a backfill would change, by counter.") { id, tenant }.Does(host, async (call, cancellation) =>
        {
            var preview = await BackfillPreview.ReadAsync(call, call.Required(id), call.Required(tenant), cancellation).ConfigureAwait(false);
            await preview.WriteAsync(call).ConfigureAwait(false);
            return ExitCode.Ok;
        });
    }

    private static Command Commit(CliHost host)
    {
        var (tenant, id) = (TenantOptions.Tenant(), Id());
        return new Command("commit", "Has the events of an open backfill counted, and waits until they are in the ledger.") { id, tenant }
            .Does(host, (call, cancellation) => BackfillFinish.CommitAsync(call, call.Required(id), call.Required(tenant), cancellation));
    }

    private static Command Revert(CliHost host)
    {
        var (tenant, id, note) = (TenantOptions.Tenant(), Id(), TenantOptions.Note());
        return new Command("revert", "Gives a backfill up, or takes it back: none of its events counts.") { id, tenant, note }.Does(host, async (call, cancellation) =>
        {
            var decided = await call.Rest.PostAsync(
                PathOf(call.Required(id)) + "/revert", new JsonObject { ["tenantId"] = call.Required(tenant), ["note"] = call.Value(note) }, cancellation)
                .ConfigureAwait(false);
            await call.Printer.WriteAsync(
                decided, document => new Table("ID", "STATUS").Add(document.Text("operationId"), document.Text("status"))).ConfigureAwait(false);
            await call.Printer.WriteNoteAsync(decided.Text("message")).ConfigureAwait(false);
            return ExitCode.Ok;
        });
    }

    private static Argument<string> Id() => new("ID") { Description = "Id of a backfill, as backfill list shows it." };
}
