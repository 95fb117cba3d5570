using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using StripeMeter.Cli.Commands;
using StripeMeter.Cli.Printing;
using StripeMeter.Metering.Pricing;
using StripeMeter.Metering.Pricing.Comparing;

namespace StripeMeter.Cli.Simulating;

/// <summary>
/// <c>stripemeter simulate compare</c>: what customers would pay by other prices, over a file of usage or what is counted.
/// Customers are streamed.
/// </summary>
internal static class CompareCommand
{
    private static readonly Option<string?> Usage = new("--usage")
    {
        Description = "JSON Lines, a customer each: {\"customer\": \"c\", \"usage\": {\"calls\": 12}}. Asks no server.", HelpName = "FILE",
    };

    private static readonly Option<string?> Tenant = new("--tenant") { Description = "Compares over what is counted of this tenant instead.", HelpName = "ID" };

    private static readonly Option<string?> At = new("--at")
    {
        Description = "With --tenant: a day or moment of the billing periods that are looked at. Default: now.", HelpName = "DAY",
    };

    private static readonly Option<string?> Before = new("--before")
    {
        Description = "The prices now, by metric, in YAML or JSON. With --tenant, by default the mapped Stripe prices.", HelpName = "FILE",
    };

    private static readonly Option<string> After = new("--after") { Description = "The prices to be tried.", Required = true, HelpName = "FILE" };

    private static readonly Option<string?> Details = new("--details")
    {
        Description = "Also writes each customer to this CSV file: customer,before,after,difference.", HelpName = "FILE",
    };

    public static Command Create(CliHost host)
    {
        var command = new Command("compare", "Compares what customers would pay by two price lists: sums, distribution, who wins and who loses most.")
        {
            Usage, Tenant, At, Before, After, Details,
        };
        command.Validators.Add(line =>
        {
            var ofFile = line.GetResult(Usage) is not null;
            if (ofFile == line.GetResult(Tenant) is not null)
                line.AddError("Give either --usage or --tenant.");
            else if (ofFile && line.GetResult(Before) is null)
                line.AddError("--before is required with --usage.");
            else if (ofFile && line.GetResult(At) is not null)
                line.AddError("--at goes with --tenant.");
        });
        return command.Does(host, async (call, cancellation) =>
        {
            try
            {
                var (currency, changes) = call.Value(Usage) is { } file
                    ? OfFile(call, file, cancellation) : await OfCountersAsync(call, cancellation).ConfigureAwait(false);
                var summary = await SumUpAsync(call, currency, changes).ConfigureAwait(false);
                await (call.Printer.IsJson
                    ? call.Printer.WriteJsonAsync(ToJson(summary, currency)) : WriteTablesAsync(call.Printer, summary, currency)).ConfigureAwait(false);
                return ExitCode.Ok;
            }
            catch (Exception refusal) when (refusal is PricingException or FormatException or JsonException)
            {
                throw new CliException(refusal.Message, refusal);
            }
        });
    }

    private static (Currency Currency, IAsyncEnumerable<CustomerChange> Changes) OfFile(CommandCall call, string file, CancellationToken cancellation)
    {
        var comparison = new PriceListComparison(UsageFile.Period, ListOf(call.Value(Before)!), ListOf(call.Required(After)));
        return (comparison.Currency, comparison.CompareAsync(UsageFile.ReadAsync(file, cancellation), cancellation));
    }

    private static PriceList ListOf(string path)
    {
        try
        {
            return PriceListReader.Read(ScenarioFile.Parse(path));
        }
        catch (Exception refusal) when (refusal is PricingException or FormatException or JsonException)
        {
            throw new CliException($"{path}: {refusal.Message}", refusal);
        }
    }

    private static Task<(Currency Currency, IAsyncEnumerable<CustomerChange> Changes)> OfCountersAsync(CommandCall call, CancellationToken cancellation)
    {
        var request = new JsonObject { ["tenantId"] = call.Value(Tenant), ["after"] = JsonOf(call.Required(After)) };
        if (call.Value(Before) is { } before)
            request["before"] = JsonOf(before);
        if (call.Value(At) is { } at)
            request["at"] = at;
        return CountedUsage.CompareAsync(call.Rest, request, cancellation);
    }

    private static JsonNode? JsonOf(string path) => JsonNode.Parse(ScenarioFile.Parse(path).GetRawText());

    private static async Task<ChangeSummary> SumUpAsync(CommandCall call, Currency currency, IAsyncEnumerable<CustomerChange> changes)
    {
        var (summary, progress) = (new ChangeSummary(), new Progress(call.Host));
        using var writer = call.Value(Details) is { } details ? new StreamWriter(details) : null;
        await (writer?.WriteLineAsync("customer,before,after,difference") ?? Task.CompletedTask).ConfigureAwait(false);
        await foreach (var change in changes.ConfigureAwait(false))
        {
            summary.Add(change);
            progress.Show($"{summary.Customers} customers");
            if (writer is not null)
                await writer.WriteLineAsync(Row(change, currency)).ConfigureAwait(false);
        }

        progress.End();
        return summary;
    }

    private static string Row(CustomerChange change, Currency currency) => string.Join(
        ',', '"' + change.Customer.Replace("\"", "\"\"", StringComparison.Ordinal) + '"', AmountText.Of(change.Before, currency),
        AmountText.Of(change.After, currency), AmountText.Of(change.Difference, currency));

    private static async Task WriteTablesAsync(Printer printer, ChangeSummary summary, Currency currency)
    {
        await printer.WriteAsync(new Table("customers", "before", "after", "difference", "")
            .Add(Number(summary.Customers), AmountText.Of(summary.TotalBefore, currency), AmountText.Of(summary.TotalAfter, currency),
                AmountText.Of(checked(summary.TotalAfter - summary.TotalBefore), currency), currency.Code)).ConfigureAwait(false);
        await printer.WriteNoteAsync(
            $"\n{summary.Winners} pay less, {summary.Losers} pay more, {summary.Unchanged} pay the same; {summary.NewlyCharged} paid nothing before.\n").ConfigureAwait(false);

        var distribution = new Table("change", "customers");
        for (var index = 0; index < summary.Distribution.Count; index++)
            distribution.Add(ClassName(index), Number(summary.Distribution[index]));
        await printer.WriteAsync(distribution).ConfigureAwait(false);

        var extremes = new Table("", "customer", "before", "after", "difference");
        foreach (var change in summary.TopWinners.Concat(summary.TopLosers))
        {
            extremes.Add(change.Difference < 0 ? "wins most" : "loses most", change.Customer, AmountText.Of(change.Before, currency),
                AmountText.Of(change.After, currency), AmountText.Of(change.Difference, currency));
        }

        if (extremes.Count == 0)
            return;
        await printer.WriteNoteAsync("").ConfigureAwait(false);
        await printer.WriteAsync(extremes).ConfigureAwait(false);
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

    private static string ClassName(int index)
    {
        var ends = ChangeSummary.ClassEnds;
        if (index == 0)
            return $"{Percent(ends[0])} or less";
        return index < ends.Count ? $"{Percent(ends[index - 1])} to {Percent(ends[index])}" : $"above {Percent(ends[^1])}";
    }

    private static string Percent(int value) => value.ToString("+0;-0;0", CultureInfo.InvariantCulture) + " %";

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
