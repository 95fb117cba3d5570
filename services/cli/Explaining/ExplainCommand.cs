using System.CommandLine;
using System.Text.Json.Nodes;
using StripeMeter.Cli.Commands;
using StripeMeter.Cli.Printing;
using StripeMeter.Cli.Rest;

namespace StripeMeter.Cli.Explaining;

/// <summary><c>stripemeter explain event|counter</c>: from an event to what was billed, and back.</summary>
internal static class ExplainCommand
{
    public static Command Create(CliHost host) => new("explain", "Traces what was counted and billed.") { OfEvent(host), OfCounter(host), PushCommand.Create(host) };

    private static Command OfEvent(CliHost host)
    {
        var key = new Argument<string>("KEY") { Description = "The idempotency key of the event." };
        var tenant = TenantOptions.Tenant();
        var command = new Command("event", "What became of an event: its place in the ledger, its counter, and what Stripe was told.") { key, tenant };
        return command.Does(host, async (call, cancellation) =>
        {
            var address = RestAddress.Of("/v1/events/explain", ("tenantId", call.Required(tenant)), ("idempotencyKey", call.Required(key)));
            var explained = await call.Rest.GetAsync(address, cancellation).ConfigureAwait(false);
            await call.Printer.WriteAsync(explained, EventTable).ConfigureAwait(false);
            return ExitCode.Ok;
        });
    }

    private static Command OfCounter(CliHost host)
    {
        var (tenant, metric, customer) = (TenantOptions.Tenant(), TenantOptions.RequiredMetric(), TenantOptions.RequiredCustomer());
        var at = new Option<string?>("--at") { Description = "A moment of the billing period (RFC 3339); now if absent." };
        var limit = TenantOptions.Limit(100, 1_000_000);
        var command = new Command("counter", "The events and corrections a counter is made of.") { tenant, metric, customer, at, limit };
        return command.Does(host, async (call, cancellation) =>
        {
            var explained = await ReadAsync(
                call,
                [("tenantId", call.Required(tenant)), ("metric", call.Required(metric)), ("customerRef", call.Required(customer)), ("at", call.Value(at))],
                call.Required(limit), cancellation).ConfigureAwait(false);
            await call.Printer.WriteAsync(explained, CounterTable).ConfigureAwait(false);
            await call.Printer.WriteNoteAsync(CounterNote(explained)).ConfigureAwait(false);
            return ExitCode.Ok;
        });
    }

    /// <summary>The first page, with the records of as many further ones as are wished.</summary>
    private static async Task<JsonNode> ReadAsync(
        CommandCall call, (string Name, string? Value)[] parameters, int limit, CancellationToken cancellation)
    {
        JsonNode? first = null;
        var (records, progress) = (new JsonArray(), new Progress(call.Host));
        await foreach (var page in call.Rest.PagesAsync("/v1/counters/explain", parameters, cancellation).ConfigureAwait(false))
        {
            first ??= page;
            foreach (var record in page.Items("records").Take(limit - records.Count).ToArray())
                records.Add(record.DeepClone());
            progress.Show($"{records.Count} records");
            if (records.Count >= limit)
                break;
        }

        progress.End();
        first!["records"] = records;
        first.AsObject().Remove("nextCursor");
        return first;
    }

    private static Table EventTable(JsonNode explained)
    {
        var (record, counter) = (explained["record"]!, explained["counter"]);
        var table = new Table("WHAT", "VALUE")
            .Add("event", $"{record["event"]!.Text("id")}: {record.Text("quantity")} {record["event"]!.Text("metric")} of {record["event"]!.Text("customerRef")}")
            .Add("happened", record["event"]!.Text("timestamp"))
            .Add("received", record["event"]!.Text("receivedAt"))
            .Add("place", $"shard {record.Text("shard")}, position {record.Text("position")}")
            .Add("period", $"{record.Text("periodStart")} to {record.Text("periodEnd")}")
            .Add("standing", $"{record.Text("standing")}{((bool)record["counts"]! ? "" : ", does not count")}");
        if (record["adjustmentId"] is not null)
            table.Add("adjustment", record.Text("adjustmentId"));
        if (record["sessionId"] is not null)
            table.Add("backfill", record.Text("sessionId"));
        table.Add("counter", counter is null ? "nothing is counted there yet" : CounterText(counter));
        if (!(bool)explained["settled"]!)
            table.Add("", "the counter does not have it yet");
        if (explained["deltas"] is null)
            return table.Add("stripe", "the pusher did not answer");
        foreach (var delta in explained.Items("deltas"))
            table.Add("stripe", DeltaText(delta));
        return explained.Items("deltas").Any() ? table : table.Add("stripe", "no meter is told of this counter");
    }

    private static Table CounterTable(JsonNode explained) => explained.Items("records").Aggregate(
        new Table("POSITION", "TIMESTAMP", "QUANTITY", "STANDING", "COUNTS", "KEY"),
        (table, record) => table.Add(
            record.Text("position"), record["event"]?.Text("timestamp") ?? "-", record.Text("quantity"), record.Text("standing"),
            (bool)record["counts"]! ? "yes" : "no", record["event"]?.Text("id") ?? $"adjustment {record.Text("adjustmentId")}"));

    private static string CounterNote(JsonNode explained)
    {
        var counter = explained["counter"] is { } counted ? CounterText(counted) : "nothing is counted yet";
        return $"{explained.Text("periodStart")} to {explained.Text("periodEnd")}: {counter}"
            + string.Concat(explained.Items("deltas").Select(delta => $"\nStripe: {DeltaText(delta)}"));
    }

    private static string CounterText(JsonNode counter) =>
        $"sum {counter.Text("sum")}, count {counter.Text("count")}, version {counter["version"]!.Text("recutPosition")}.{counter["version"]!.Text("position")}";

    private static string DeltaText(JsonNode delta) =>
        $"{delta.Text("meterId")} of {delta.Text("stripeCustomer")}: target {delta.Text("target")}, accepted {delta.Text("accepted")}, outstanding {delta.Text("outstanding")}";
}
