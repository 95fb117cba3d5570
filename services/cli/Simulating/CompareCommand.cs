using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using StripeMeter.Cli.Commands;
using StripeMeter.Cli.Printing;
using StripeMeter.Metering.Pricing;
using StripeMeter.Metering.Pricing.Comparing;

namespace StripeMeter.Cli.Simulating;

/// <summary><c>stripemeter simulate compare</c>: what customers would pay by other prices. Customers are streamed.</summary>
internal static class CompareCommand
{
    public static Command Create(CliHost host)
    {
        var usage = new Option<string>("--usage") { Description = "JSON Lines, a customer each: {\"customer\": \"c\", \"usage\": {\"calls\": 12}}.", Required = true, HelpName = "FILE" };
        var before = new Option<string>("--before") { Description = "The prices now, by metric, in YAML or JSON.", Required = true, HelpName = "FILE" };
        var after = new Option<string>("--after") { Description = "The prices to be tried.", Required = true, HelpName = "FILE" };
        var details = new Option<string?>("--details") { Description = "Also writes each customer to this CSV file: customer,before,after,difference.", HelpName = "FILE" };
        var command = new Command("compare", "Compares what customers would pay by two price lists: sums, distribution, who wins and who loses most.")
        {
            usage, before, after, details,
        };
        return command.Does(host, async (call, cancellation) =>
        {
            try
            {
                var comparison = new PriceListComparison(UsageFile.Period, PriceListFile.Read(call.Required(before)), PriceListFile.Read(call.Required(after)));
                var summary = await CompareAsync(call, comparison, call.Required(usage), call.Value(details), cancellation).ConfigureAwait(false);
                await call.Printer.WriteAsync(ToJson(summary, comparison.Currency), _ => ToTable(summary, comparison.Currency)).ConfigureAwait(false);
                return ExitCode.Ok;
            }
            catch (Exception refusal) when (refusal is PricingException or FormatException or JsonException)
            {
                throw new CliException(refusal.Message, refusal);
            }
        });
    }

    private static async Task<ChangeSummary> CompareAsync(
        CommandCall call, PriceListComparison comparison, string usage, string? details, CancellationToken cancellation)
    {
        var (summary, progress) = (new ChangeSummary(), new Progress(call.Host));
        using var writer = details is null ? null : new StreamWriter(details);
        await (writer?.WriteLineAsync("customer,before,after,difference") ?? Task.CompletedTask).ConfigureAwait(false);
        await foreach (var change in comparison.CompareAsync(UsageFile.ReadAsync(usage, cancellation), cancellation).ConfigureAwait(false))
        {
            summary.Add(change);
            progress.Show($"{summary.Customers} customers");
            if (writer is not null)
                await writer.WriteLineAsync(Row(change, comparison.Currency)).ConfigureAwait(false);
        }

        progress.End();
        return summary;
    }

    private static string Row(CustomerChange change, Currency currency) => string.Join(
        ',', '"' + change.Customer.Replace("\"", "\"\"", StringComparison.Ordinal) + '"', AmountText.Of(change.Before, currency),
        AmountText.Of(change.After, currency), AmountText.Of(change.Difference, currency));

    private static Table ToTable(ChangeSummary summary, Currency currency)
    {
        var table = new Table("", "customers", currency.Code, "");
        table.Add("before", Number(summary.Customers), AmountText.Of(summary.TotalBefore, currency), "");
        table.Add("after", Number(summary.Customers), AmountText.Of(summary.TotalAfter, currency), "");
        table.Add("pay less", Number(summary.Winners), "", "");
        table.Add("pay more", Number(summary.Losers), "", $"{summary.NewlyCharged} of them paid nothing");
        table.Add("pay the same", Number(summary.Unchanged), "", "");
        for (var index = 0; index < summary.Distribution.Count; index++)
            table.Add(ClassName(index), Number(summary.Distribution[index]), "", "");
        foreach (var change in summary.TopWinners.Concat(summary.TopLosers))
            table.Add(change.Difference < 0 ? "wins most" : "loses most", "", AmountText.Of(change.Difference, currency), change.Customer);
        return table;
    }

    private static JsonObject ToJson(ChangeSummary summary, Currency currency) => new()
    {
        ["currency"] = currency.Code,
        ["customers"] = summary.Customers,
        ["before"] = summary.TotalBefore,
        ["after"] = summary.TotalAfter,
        ["winners"] = summary.Winners,
        ["losers"] = summary.Losers,
        ["unchanged"] = summary.Unchanged,
        ["newlyCharged"] = summary.NewlyCharged,
        ["distribution"] = new JsonArray([.. summary.Distribution.Select((count, index) =>
            new JsonObject { ["upToPercent"] = index < ChangeSummary.ClassEnds.Count ? ChangeSummary.ClassEnds[index] : null, ["customers"] = count })]),
        ["topWinners"] = Changes(summary.TopWinners),
        ["topLosers"] = Changes(summary.TopLosers),
    };

    private static JsonArray Changes(IReadOnlyList<CustomerChange> changes) => new([.. changes.Select(change => new JsonObject
    {
        ["customer"] = change.Customer, ["before"] = change.Before, ["after"] = change.After, ["difference"] = change.Difference,
    })]);

    private static string ClassName(int index) => index < ChangeSummary.ClassEnds.Count
        ? $"up to {ChangeSummary.ClassEnds[index].ToString("+0;-0;0", CultureInfo.InvariantCulture)} %" : "more";

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
