using System.CommandLine;
using System.Text.Json.Nodes;
using StripeMeter.Cli.Commands;
using StripeMeter.Cli.Printing;
using StripeMeter.Cli.Rest;

namespace StripeMeter.Cli.Reconciling;

/// <summary><c>stripemeter reconcile run|show|summary|apply</c>: whether Stripe has what the ledger counts.</summary>
internal static class ReconcileCommand
{
    private const string Path = "/v1/reconciliation";
    private const int MaximumIds = 1_000;
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromMilliseconds(250);

    public static Command Create(CliHost host) => new("reconcile", "Whether Stripe has what the ledger counts, and what to do if not.")
    {
        Run(host), Show(host), Summary(host), Apply(host),
    };

    private static Command Run(CliHost host)
    {
        var tenant = TenantOptions.Tenant();
        var full = new Option<bool>("--full") { Description = "Reads every period, also those that have not moved since they agreed." };
        var noWait = new Option<bool>("--no-wait") { Description = "Does not wait until the comparison is over." };
        var command = new Command("run", "Compares now, and tells how it stands. Exit code 1 if something is to be investigated or could not be read.") { tenant, full, noWait };
        return command.Does(host, async (call, cancellation) =>
        {
            var body = new JsonObject { ["tenantId"] = call.Required(tenant), ["full"] = call.Required(full) };
            var run = (JsonNode)new JsonObject { ["jobId"] = (await call.Rest.PostAsync($"{Path}/run", body, cancellation).ConfigureAwait(false)).Text("jobId") };
            if (!call.Required(noWait))
                run = await UntilOverAsync(call, call.Required(tenant), run.Text("jobId"), cancellation).ConfigureAwait(false);
            await call.Printer.WriteAsync(run, answer => new Table("RUN", "STATE", "OK", "RESOLVED", "INVESTIGATE", "NOT READ", "UNREADABLE").Add(
                answer.Text("jobId"), answer.Text("state"), answer.Text("ok"), answer.Text("resolved"), answer.Text("investigating"),
                answer.Text("notRead"), answer.Text("unreadable"))).ConfigureAwait(false);
            return call.Required(noWait) || IsGood(run) ? ExitCode.Ok : ExitCode.Failed;
        });
    }

    private static Command Show(CliHost host)
    {
        var (tenant, metric, customer) = (TenantOptions.Tenant(), TenantOptions.Metric(), TenantOptions.Customer());
        var period = new Option<string>("--period") { Description = "The month the billing periods start in, such as 2026-01.", Required = true };
        var status = new Option<string?>("--status") { Description = "ok, investigate or resolved." };
        status.AcceptOnlyFromAmong("ok", "investigate", "resolved");
        var command = new Command("show", "How each Stripe customer stands on each meter, and what would put it right.") { tenant, period, metric, customer, status };
        return command.Does(host, async (call, cancellation) =>
        {
            var shown = await ReadAsync(
                call, call.Required(period),
                [("tenantId", call.Required(tenant)), ("metric", call.Value(metric)), ("customerRef", call.Value(customer)), ("status", call.Value(status))],
                cancellation).ConfigureAwait(false);
            await call.Printer.WriteAsync(shown, ToTable).ConfigureAwait(false);
            return ExitCode.Ok;
        });
    }

    private static Command Summary(CliHost host)
    {
        var (tenant, metric, customer) = (TenantOptions.Tenant(), TenantOptions.Metric(), TenantOptions.Customer());
        var from = new Option<string>("--from") { Description = "The first month, such as 2026-01.", Required = true };
        var to = new Option<string?>("--to") { Description = "The last month; the same if absent." };
        var command = new Command("summary", "Sums by metric.") { tenant, from, to, metric, customer };
        return command.Does(host, async (call, cancellation) =>
        {
            var address = RestAddress.Of(
                $"{Path}/summary", ("tenantId", call.Required(tenant)), ("periodStart", call.Required(from)), ("periodEnd", call.Value(to) ?? call.Required(from)),
                ("metric", call.Value(metric)), ("customerRef", call.Value(customer)));
            var summary = await call.Rest.GetAsync(address, cancellation).ConfigureAwait(false);
            await call.Printer.WriteAsync(summary, SumTable).ConfigureAwait(false);
            return ExitCode.Ok;
        });
    }

    private static Command Apply(CliHost host)
    {
        var tenant = TenantOptions.Tenant();
        var ids = new Argument<string[]>("ID") { Description = "Suggestions, or pending adjustments. None: see --period.", Arity = ArgumentArity.ZeroOrMore };
        var period = new Option<string?>("--period") { Description = "Applies the suggestions of this month, such as 2026-01, for periods that drift little." };
        var most = new Option<decimal>("--at-most-percent") { Description = "With --period: how much a period may drift.", DefaultValueFactory = _ => 0.5m };
        var reason = new Option<string?>("--reason") { Description = "Why; kept as the note of the adjustments." };
        var command = new Command("apply", "Makes suggestions into approved adjustments. Exit code 1 if one could not be applied.") { ids, tenant, period, most, reason };
        command.Validators.Add(result =>
        {
            if ((result.GetValue(ids)?.Length ?? 0) == 0 == (result.GetValue(period) is null))
                result.AddError("Either ids or --period must be given.");
        });
        return command.Does(host, async (call, cancellation) =>
        {
            var chosen = call.Value(period) is { } month
                ? await SuggestedAsync(call, call.Required(tenant), month, call.Required(most), cancellation).ConfigureAwait(false)
                : call.Required(ids);
            var done = new JsonObject { ["applied"] = 0, ["failed"] = 0, ["results"] = new JsonArray() };
            foreach (var batch in chosen.Chunk(MaximumIds))
            {
                var body = new JsonObject
                {
                    ["tenantId"] = call.Required(tenant), ["reason"] = call.Value(reason), ["adjustmentIds"] = new JsonArray([.. batch.Select(id => (JsonNode)id)]),
                };
                var answer = await call.Rest.PostAsync($"{Path}/adjustments", body, cancellation).ConfigureAwait(false);
                done["applied"] = (int)done["applied"]! + (int)answer["applied"]!;
                done["failed"] = (int)done["failed"]! + (int)answer["failed"]!;
                foreach (var one in answer.Items("results"))
                    done["results"]!.AsArray().Add(one.DeepClone());
            }

            await call.Printer.WriteAsync(done, answer => answer.Items("results").Aggregate(
                new Table("SUGGESTION", "APPLIED", "ADJUSTMENT", "WHY NOT"),
                (table, one) => table.Add(one.Text("id"), (bool)one["applied"]! ? "yes" : "no", one.Text("adjustmentId"), one.Text("error")))).ConfigureAwait(false);
            return (int)done["failed"]! == 0 ? ExitCode.Ok : ExitCode.Failed;
        });
    }

    /// <summary>The suggestions of a month for periods that drift at most so many percent.</summary>
    private static async Task<string[]> SuggestedAsync(CommandCall call, string tenant, string month, decimal mostPercent, CancellationToken cancellation)
    {
        var shown = await ReadAsync(call, month, [("tenantId", tenant)], cancellation).ConfigureAwait(false);
        var little = shown.Items("reports").Where(report => report["diffPct"]!.GetValue<decimal>() * 100 <= mostPercent)
            .Select(report => (report.Text("subscriptionItemId"), report.Text("periodStart"))).ToHashSet();
        return [.. shown.Items("suggestedAdjustments").Where(one => little.Contains((one.Text("subscriptionItemId"), one.Text("periodStart")))).Select(one => one.Text("id"))];
    }

    /// <summary>Every report of a month.</summary>
    private static async Task<JsonObject> ReadAsync(CommandCall call, string month, (string Name, string? Value)[] parameters, CancellationToken cancellation)
    {
        var shown = new JsonObject { ["reports"] = new JsonArray(), ["suggestedAdjustments"] = new JsonArray() };
        await foreach (var page in call.Rest.PagesAsync($"{Path}/{Uri.EscapeDataString(month)}", [.. parameters, ("limit", "1000")], cancellation).ConfigureAwait(false))
        {
            foreach (var name in shown.Select(member => member.Key).ToArray())
            {
                foreach (var item in page.Items(name))
                    shown[name]!.AsArray().Add(item.DeepClone());
            }
        }

        return shown;
    }

    private static async Task<JsonNode> UntilOverAsync(CommandCall call, string tenant, string jobId, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(LookAgainAfter, call.Host.Clock);
        while (true)
        {
            var run = await call.Rest.GetAsync(
                RestAddress.Of($"{Path}/runs/{Uri.EscapeDataString(jobId)}", ("tenantId", tenant)), cancellation).ConfigureAwait(false);
            if (run.Text("state") is "completed" or "failed")
                return run;
            await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false);
        }
    }

    private static bool IsGood(JsonNode run) =>
        run.Text("state") == "completed" && (int)run["investigating"]! == 0 && (int)run["unreadable"]! == 0;

    private static Table ToTable(JsonNode shown)
    {
        var table = new Table("METER", "CUSTOMER", "LOCAL", "STRIPE", "IN FLIGHT", "DRIFT", "STATUS", "WHY", "SUGGESTION");
        var suggested = shown.Items("suggestedAdjustments").ToLookup(one => (one.Text("subscriptionItemId"), one.Text("periodStart")));
        foreach (var report in shown.Items("reports"))
        {
            var suggestion = suggested[(report.Text("subscriptionItemId"), report.Text("periodStart"))].FirstOrDefault();
            table.Add(
                report.Text("meterId"), report.Text("stripeCustomer"), report.Text("localTotal"), report.Text("stripeTotal"), report.Text("inFlight"),
                report.Text("drift"), report.Text("status"), Why(report), suggestion is null ? "-" : $"{suggestion.Text("delta")}: {suggestion.Text("id")}");
        }

        return table;
    }

    private static string Why(JsonNode report) => string.Join(
        "; ", report.Items("foreign").Select(usage => $"{usage.Text("value")} at {usage.Text("minute")}").Prepend(report.Text("reason")));

    private static Table SumTable(JsonNode summary)
    {
        var table = new Table("METRIC", "LOCAL", "STRIPE", "IN FLIGHT", "DRIFT", "DRIFT PCT", "ITEMS");
        foreach (var sum in summary.Items("perMetric").Append(summary["overall"]!))
        {
            table.Add(
                sum["metric"] is null ? "total" : sum.Text("metric"), sum.Text("local"), sum.Text("stripe"), sum.Text("inFlight"), sum.Text("drift_abs"),
                sum.Text("drift_pct"), sum.Text("items"));
        }

        return table;
    }
}
