using System.CommandLine;
using System.Text.Json.Nodes;
using StripeMeter.Cli.Commands;
using StripeMeter.Cli.Printing;
using StripeMeter.Cli.Rest;

namespace StripeMeter.Cli.Adjusting;

/// <summary><c>stripemeter adjust create|list|approve|revert</c>: corrections, and events that came late.</summary>
internal static class AdjustCommand
{
    private const string Path = "/v1/adjustments";
    private const string OlderPrefix = "adjustments:";

    public static Command Create(CliHost host) => new("adjust", "Corrections of counters, and events that came late.")
    {
        CreateOne("create", host), List("list", host), Approve("approve", host), Revert("revert", host),
    };

    /// <summary>The same as older scripts spell it, such as <c>adjustments:create</c>. Not in the help.</summary>
    public static IEnumerable<Command> CreateOlder(CliHost host)
    {
        Command[] older = [CreateOne(OlderPrefix + "create", host), List(OlderPrefix + "list", host), Approve(OlderPrefix + "approve", host), Revert(OlderPrefix + "revert", host)];
        foreach (var command in older)
            command.Hidden = true;
        return older;
    }

    private static Command CreateOne(string name, CliHost host)
    {
        var (tenant, metric, customer) = (TenantOptions.Tenant(), TenantOptions.RequiredMetric(), TenantOptions.RequiredCustomer());
        var period = new Option<string>("--period") { Description = "A day or moment of the billing period, such as 2026-01-01.", Required = true };
        var delta = new Option<string>("--delta") { Description = "What the sum changes by, such as -12.5.", Required = true };
        var reason = new Option<string>("--reason") { Description = "backfill, correction, promo, credit or manual.", Required = true };
        var requestId = new Option<string?>("--request-id") { Description = "Makes the command repeatable: the same name creates one." };
        var note = TenantOptions.Note();
        var command = new Command(name, "Records a correction, to be approved.") { tenant, metric, customer, period, delta, reason, requestId, note };
        return command.Does(host, async (call, cancellation) =>
        {
            var body = new JsonObject
            {
                ["tenantId"] = call.Required(tenant), ["metric"] = call.Required(metric), ["customerRef"] = call.Required(customer),
                ["periodStart"] = call.Required(period), ["delta"] = call.Required(delta), ["reason"] = call.Required(reason),
                ["requestId"] = call.Value(requestId), ["note"] = call.Value(note),
            };
            var created = await call.Rest.PostAsync(Path, body, cancellation).ConfigureAwait(false);
            await call.Printer.WriteAsync(created, done => new Table("ID", "STATUS").Add(done.Text("id"), "pending")).ConfigureAwait(false);
            return ExitCode.Ok;
        });
    }

    private static Command List(string name, CliHost host)
    {
        var (tenant, metric, customer, limit) = (TenantOptions.Tenant(), TenantOptions.Metric(), TenantOptions.Customer(), TenantOptions.Limit(100, 100_000));
        var status = new Option<string?>("--status") { Description = "pending, approved or reverted." };
        status.AcceptOnlyFromAmong("pending", "approved", "reverted");
        var command = new Command(name, "Lists corrections, then late events, newest first.") { tenant, metric, customer, status, limit };
        return command.Does(host, async (call, cancellation) =>
        {
            var listed = await call.Rest.ItemsAsync(
                Path, "adjustments", call.Required(limit),
                [("tenantId", call.Required(tenant)), ("metric", call.Value(metric)), ("customerRef", call.Value(customer)), ("status", call.Value(status))],
                cancellation).ConfigureAwait(false);
            await call.Printer.WriteAsync(new JsonObject { ["adjustments"] = listed }, document => ToTable(document.Items("adjustments"))).ConfigureAwait(false);
            return ExitCode.Ok;
        });
    }

    private static Command Approve(string name, CliHost host)
    {
        var (tenant, ids) = (TenantOptions.Tenant(), Ids());
        var command = new Command(name, "Counts pending corrections or late events.") { ids, tenant };
        return command.Does(host, (call, cancellation) =>
            StepAsync(call, call.Required(ids), "approve", "approved", new JsonObject { ["tenantId"] = call.Required(tenant) }, cancellation));
    }

    private static Command Revert(string name, CliHost host)
    {
        var (tenant, ids, note) = (TenantOptions.Tenant(), Ids(), TenantOptions.Note());
        var command = new Command(name, "Takes approved corrections or late events back: their net effect is zero.") { ids, tenant, note };
        return command.Does(host, (call, cancellation) => StepAsync(
            call, call.Required(ids), "revert", "reverted", new JsonObject { ["tenantId"] = call.Required(tenant), ["note"] = call.Value(note) },
            cancellation));
    }

    private static Argument<string[]> Ids() => new("ID")
    {
        Description = "Ids of adjustments, as adjust list shows them.", Arity = ArgumentArity.OneOrMore,
    };

    /// <summary>Takes a step with each. One that is refused does not keep the others from theirs.</summary>
    private static async Task<int> StepAsync(
        CommandCall call, string[] ids, string step, string outcome, JsonObject body, CancellationToken cancellation)
    {
        var (results, code) = (new JsonArray(), ExitCode.Ok);
        foreach (var id in ids)
        {
            try
            {
                var done = await call.Rest.PostAsync($"{Path}/{Uri.EscapeDataString(id)}/{step}", body, cancellation).ConfigureAwait(false);
                results.Add(new JsonObject { ["id"] = id, ["status"] = outcome, ["already"] = done["already"]?.DeepClone() });
            }
            catch (RestException refusal) when (refusal.Status is not null)
            {
                await Failures.WriteAsync(call.Host, $"{id}: {refusal.Message}").ConfigureAwait(false);
                results.Add(new JsonObject { ["id"] = id, ["status"] = "refused", ["error"] = refusal.Message });
                code = ExitCode.Failed;
            }
        }

        await call.Printer.WriteAsync(results, document => document.AsArray().OfType<JsonNode>().Aggregate(
            new Table("ID", "STATUS", "BEFORE"),
            (table, result) => table.Add(result.Text("id"), result.Text("status"), result["already"] is null ? "" : "already"))).ConfigureAwait(false);
        return code;
    }

    private static Table ToTable(IEnumerable<JsonNode> adjustments) => adjustments.Aggregate(
        new Table("STATUS", "REASON", "METRIC", "CUSTOMER", "DELTA", "PERIOD", "ID"),
        (table, item) => table.Add(
            item.Text("status"), item.Text("reason"), item.Text("metric"), item.Text("customerRef"), item.Text("delta"),
            item.Text("periodStart"), item.Text("id")));
}
