using System.CommandLine;
using System.Text.Json.Nodes;
using StripeMeter.Cli.Commands;
using StripeMeter.Cli.Printing;
using StripeMeter.Cli.Rest;

namespace StripeMeter.Cli.Explaining;

/// <summary><c>stripemeter explain push IDENTIFIER</c>, or <c>--event KEY</c>: from a Stripe identifier to the events behind it, and back.</summary>
internal static class PushCommand
{
    public static Command Create(CliHost host)
    {
        var identifier = new Argument<string?>("IDENTIFIER") { Description = "The identifier of a Stripe meter event.", Arity = ArgumentArity.ZeroOrOne };
        var key = new Option<string?>("--event") { Description = "The idempotency key of an event: which pushes carried it." };
        var (tenant, limit) = (TenantOptions.Tenant(), TenantOptions.Limit(100, 100_000));
        var command = new Command("push", "The events and corrections behind a Stripe meter event; or the pushes that carried an event.") { identifier, key, tenant, limit };
        command.Validators.Add(result =>
        {
            if (result.GetValue(identifier) is null == (result.GetValue(key) is null))
                result.AddError("Either IDENTIFIER or --event must be given.");
        });
        return command.Does(host, (call, cancellation) => call.Value(key) is { } named
            ? ShowPushesAsync(call, call.Required(tenant), named, call.Required(limit), cancellation)
            : ShowRecordsAsync(call, call.Required(tenant), call.Required(identifier)!, call.Required(limit), cancellation));
    }

    private static async Task<int> ShowPushesAsync(CommandCall call, string tenant, string key, int limit, CancellationToken cancellation)
    {
        var pushes = await call.Rest.ItemsAsync(
            "/v1/pushes", "pushes", limit, [("tenantId", tenant), ("idempotencyKey", key)], cancellation).ConfigureAwait(false);
        await call.Printer.WriteAsync(new JsonObject { ["pushes"] = pushes }, answer => answer.Items("pushes").Aggregate(
            new Table("IDENTIFIER", "STATE", "VALUE", "METER", "CUSTOMER"),
            (table, push) => table.Add(
                push["intent"]!.Text("identifier"), push["intent"]!.Text("state"), push["intent"]!.Text("value"), push.Text("meterId"), push.Text("stripeCustomer")))).ConfigureAwait(false);
        return ExitCode.Ok;
    }

    private static async Task<int> ShowRecordsAsync(CommandCall call, string tenant, string identifier, int limit, CancellationToken cancellation)
    {
        var (push, records) = ((JsonNode?)null, new JsonArray());
        var path = $"/v1/pushes/{Uri.EscapeDataString(identifier)}/explain";
        await foreach (var page in call.Rest.PagesAsync(path, [("tenantId", tenant), ("limit", "1000")], cancellation).ConfigureAwait(false))
        {
            push ??= page["push"]!.DeepClone();
            foreach (var record in page.Items("records").Take(limit - records.Count).ToArray())
                records.Add(record.DeepClone());
            if (records.Count >= limit)
                break;
        }

        await call.Printer.WriteAsync(new JsonObject { ["push"] = push, ["records"] = records }, answer => answer.Items("records").Aggregate(
            new Table("SHARD", "POSITION", "TIMESTAMP", "QUANTITY", "METRIC", "CUSTOMER", "KEY"),
            (table, record) => table.Add(
                record.Text("shard"), record.Text("position"), record.Text("timestamp"), record.Text("quantity"), record.Text("metric"), record.Text("customerRef"),
                record["idempotencyKey"] is null ? $"adjustment {record.Text("adjustmentId")}" : record.Text("idempotencyKey")))).ConfigureAwait(false);
        await call.Printer.WriteNoteAsync(
            $"{identifier} told {push!["intent"]!.Text("value")} to {push.Text("meterId")} of {push.Text("stripeCustomer")}, and is {push["intent"]!.Text("state")}.").ConfigureAwait(false);
        return ExitCode.Ok;
    }
}
