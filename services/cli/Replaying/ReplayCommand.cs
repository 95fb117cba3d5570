using System.CommandLine;
using System.Text.Json.Nodes;
using StripeMeter.Cli.Commands;
using StripeMeter.Cli.Printing;
using StripeMeter.Metering.Quantities;

namespace StripeMeter.Cli.Replaying;

/// <summary><c>stripemeter replay</c>: says what counting late events would change, or counts them.</summary>
internal static class ReplayCommand
{
    public static Command Create(CliHost host)
    {
        var tenant = TenantOptions.Tenant();
        var metrics = new Option<string[]>("--metric") { Description = "Only this metric. May be given several times.", AllowMultipleArgumentsPerToken = false };
        var since = new Option<string?>("--since") { Description = "From a moment (RFC 3339), or back from now such as -PT24H." };
        var until = new Option<string?>("--until") { Description = "To a moment, or now." };
        var apply = new Option<bool>("--apply") { Description = "Count them. Without it nothing is changed." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Change nothing, which is the default." };
        var command = new Command("replay", "Counts events that came late after all, or says what that would change. Applying again changes nothing.")
        {
            tenant, metrics, since, until, apply, dryRun,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(apply) && result.GetValue(dryRun))
                result.AddError("--apply and --dry-run contradict each other.");
        });
        return command.Does(host, (call, cancellation) => RunAsync(
            call,
            new JsonObject
            {
                ["tenantId"] = call.Required(tenant), ["mode"] = call.Value(apply) ? "apply" : "dry-run", ["since"] = call.Value(since),
                ["until"] = call.Value(until), ["metrics"] = new JsonArray([.. (call.Value(metrics) ?? []).Select(metric => (JsonNode)metric)]),
            },
            cancellation));
    }

    private static async Task<int> RunAsync(CommandCall call, JsonObject body, CancellationToken cancellation)
    {
        var (changes, progress) = (new SortedDictionary<string, Change>(StringComparer.Ordinal), new Progress(call.Host));
        var applied = 0L;
        string? cursor = null;
        do
        {
            body["cursor"] = cursor;
            var page = await call.Rest.PostAsync("/v1/replay", body, cancellation).ConfigureAwait(false);
            foreach (var (metric, change) in page["changes"]!.AsObject())
                changes[metric] = changes.GetValueOrDefault(metric) + Change.Of(change!);
            applied += (long?)page["applied"] ?? 0;
            cursor = (string?)page["cursor"];
            progress.Show($"{changes.Values.Sum(change => change.LateEvents)} late events, {applied} applied");
        }
        while (cursor is not null);

        progress.End();
        var isApplied = (string)body["mode"]! == "apply";
        await call.Printer.WriteAsync(ToJson(changes, isApplied, applied), _ => ToTable(changes)).ConfigureAwait(false);
        await call.Printer.WriteNoteAsync(isApplied
            ? $"{applied} late events were approved, and count."
            : "Nothing was changed. Add --apply to count them.").ConfigureAwait(false);
        return ExitCode.Ok;
    }

    private static JsonObject ToJson(SortedDictionary<string, Change> changes, bool isApplied, long applied)
    {
        var byMetric = new JsonObject();
        foreach (var (metric, change) in changes)
            byMetric[metric] = new JsonObject
            {
                ["eventsFound"] = change.EventsFound, ["lateEvents"] = change.LateEvents, ["counterDelta"] = JsonNode.Parse(change.Delta.ToString()),
            };
        return new JsonObject { ["mode"] = isApplied ? "apply" : "dry-run", ["changes"] = byMetric, ["applied"] = isApplied ? applied : null };
    }

    private static Table ToTable(SortedDictionary<string, Change> changes) => changes.Aggregate(
        new Table("METRIC", "EVENTS", "LATE", "CHANGE"),
        (table, change) => table.Add(
            change.Key, FormattableString.Invariant($"{change.Value.EventsFound}"), FormattableString.Invariant($"{change.Value.LateEvents}"),
            change.Value.Delta.ToString()));

    private readonly record struct Change(long EventsFound, long LateEvents, Quantity Delta)
    {
        public static Change Of(JsonNode change) =>
            new((long)change["eventsFound"]!, (long)change["lateEvents"]!, Quantity.Parse(change.Text("counterDelta")));

        public static Change operator +(Change left, Change right) =>
            new(left.EventsFound + right.EventsFound, left.LateEvents + right.LateEvents, left.Delta + right.Delta);
    }
}
