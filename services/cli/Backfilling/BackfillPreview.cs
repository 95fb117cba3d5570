using System.Text.Json.Nodes;
using StripeMeter.Cli.Commands;
using StripeMeter.Cli.Printing;
using StripeMeter.Cli.Rest;
using StripeMeter.Metering.Quantities;

namespace StripeMeter.Cli.Backfilling;

/// <summary>What committing a backfill would change, put together from the pages of the API.</summary>
internal sealed class BackfillPreview
{
    private readonly SortedDictionary<(string Metric, string Customer, string Period), Change> _changes = [];

    private long _accepted;
    private long _duplicates;
    private long _conflicts;

    public static async Task<BackfillPreview> ReadAsync(CommandCall call, string id, string tenant, CancellationToken cancellation)
    {
        var (preview, progress) = (new BackfillPreview(), new Progress(call.Host));
        await foreach (var page in call.Rest.PagesAsync(BackfillCommand.PathOf(id) + "/preview", [("tenantId", tenant)], cancellation).ConfigureAwait(false))
        {
            preview.Add(page);
            progress.Show($"{preview._accepted + preview._duplicates + preview._conflicts} events looked at");
        }

        progress.End();
        return preview;
    }

    public async Task WriteAsync(CommandCall call)
    {
        await call.Printer.WriteAsync(ToJson(), _ => ToTable()).ConfigureAwait(false);
        await call.Printer.WriteNoteAsync(
            $"{_accepted} events would be appended; {_duplicates} are in the ledger already; {_conflicts} clash with others.").ConfigureAwait(false);
    }

    private void Add(JsonNode page)
    {
        _accepted += (long)page["accepted"]!;
        _duplicates += (long)page["duplicates"]!;
        _conflicts += (long)page["conflicts"]!;
        foreach (var change in page.Items("changes"))
        {
            var key = (change.Text("metric"), change.Text("customerRef"), change.Text("periodStart"));
            var before = _changes.GetValueOrDefault(key);
            _changes[key] = new Change(
                before.Sum + Quantity.Parse(change.Text("sumDelta")), before.Count + (long)change["countDelta"]!, Quantity.Parse(change.Text("currentSum")));
        }
    }

    private JsonObject ToJson() => new()
    {
        ["accepted"] = _accepted,
        ["duplicates"] = _duplicates,
        ["conflicts"] = _conflicts,
        ["changes"] = new JsonArray([.. _changes.Select(change => (JsonNode)new JsonObject
        {
            ["metric"] = change.Key.Metric, ["customerRef"] = change.Key.Customer, ["periodStart"] = change.Key.Period,
            ["sumDelta"] = JsonNode.Parse(change.Value.Sum.ToString()), ["countDelta"] = change.Value.Count,
            ["currentSum"] = JsonNode.Parse(change.Value.Now.ToString()),
        })]),
    };

    private Table ToTable() => _changes.Aggregate(
        new Table("METRIC", "CUSTOMER", "PERIOD", "NOW", "CHANGE", "EVENTS"),
        (table, change) => table.Add(
            change.Key.Metric, change.Key.Customer, change.Key.Period, change.Value.Now.ToString(), change.Value.Sum.ToString(),
            FormattableString.Invariant($"{change.Value.Count}")));

    private readonly record struct Change(Quantity Sum, long Count, Quantity Now);
}
