using System.CommandLine;
using System.Text.Json.Nodes;
using StripeMeter.Cli.Commands;
using StripeMeter.Cli.Printing;
using StripeMeter.Cli.Rest;

namespace StripeMeter.Cli.Auditing;

/// <summary><c>stripemeter audit</c>: recounts counters from the ledger and compares, bit for bit.</summary>
internal static class AuditCommand
{
    private const int PageCounters = 100;

    public static Command Create(CliHost host)
    {
        var (tenant, metric, customer) = (TenantOptions.Tenant(), TenantOptions.Metric(), TenantOptions.Customer());
        var command = new Command(
            "audit", "Recounts counters from the ledger and compares. Changes nothing. Exit code 1 if a counter is not what the ledger says.")
        {
            tenant, metric, customer,
        };
        return command.Does(host, (call, cancellation) => RunAsync(
            call, [("tenantId", call.Required(tenant)), ("metric", call.Value(metric)), ("customerRef", call.Value(customer)), ("limit", $"{PageCounters}")],
            cancellation));
    }

    private static async Task<int> RunAsync(CommandCall call, (string Name, string? Value)[] parameters, CancellationToken cancellation)
    {
        var (matching, undecided, mismatches) = (0L, 0L, new JsonArray());
        var progress = new Progress(call.Host);
        await foreach (var page in call.Rest.PagesAsync("/v1/counters/audit", parameters, cancellation).ConfigureAwait(false))
        {
            matching += (long)page["matching"]!;
            undecided += (long)page["undecided"]!;
            foreach (var mismatch in page.Items("mismatches"))
                mismatches.Add(mismatch.DeepClone());
            progress.Show($"{matching + undecided + mismatches.Count} counters audited, {mismatches.Count} differ");
        }

        progress.End();
        var found = mismatches.Count;
        var report = new JsonObject { ["matching"] = matching, ["undecided"] = undecided, ["mismatches"] = mismatches };
        await call.Printer.WriteAsync(report, ToTable).ConfigureAwait(false);
        await call.Printer.WriteNoteAsync(
            $"{matching} counters are what the ledger says, {found} are not, {undecided} are just being counted anew.").ConfigureAwait(false);
        return found == 0 ? ExitCode.Ok : ExitCode.Failed;
    }

    private static Table ToTable(JsonNode report)
    {
        var table = new Table("METRIC", "CUSTOMER", "PERIOD", "SHOWN", "LEDGER");
        foreach (var mismatch in report.Items("mismatches"))
        {
            var (projected, recounted) = (mismatch["projected"]!, mismatch["recounted"]!);
            table.Add(
                projected.Text("metric"), projected.Text("customerRef"), projected.Text("periodStart"),
                $"{projected.Text("sum")} ({projected.Text("count")})", $"{recounted.Text("sum")} ({recounted.Text("count")})");
        }

        return table;
    }
}
