using System.Globalization;
using StripeMeter.Cli.Commands;
using StripeMeter.Cli.Printing;
using StripeMeter.Metering.Pricing;
using StripeMeter.Metering.Pricing.Invoicing;
using StripeMeter.Metering.Pricing.Scenarios;

namespace StripeMeter.Cli.Simulating;

/// <summary>What the commands say to people.</summary>
internal static class SimulationTables
{
    public static async Task WriteRunsAsync(CommandCall call, IReadOnlyList<ScenarioRun> runs)
    {
        foreach (var run in runs)
        {
            if (run.Result is { } result)
                await WriteAsync(call, run, result).ConfigureAwait(false);
            else
                await SimulateCommand.WriteProblemsAsync(call, [run]).ConfigureAwait(false);
        }

        if (runs.Count > 1)
            await call.Printer.WriteNoteAsync(Summary(runs)).ConfigureAwait(false);
    }

    public static Table OfReport(IReadOnlyList<ScenarioRun> runs)
    {
        var table = new Table("scenario", "total", "currency", "result", "differences");
        foreach (var run in runs)
        {
            if (run.Result is { } result)
            {
                table.Add(run.Name, AmountText.Of(result.Invoice.Total, result.Invoice.Currency), result.Invoice.Currency.Code,
                    Word(result), string.Join("; ", result.Differences));
            }
            else
            {
                table.Add(run.Name, "-", "-", "error", "");
            }
        }

        return table;
    }

    private static async Task WriteAsync(CommandCall call, ScenarioRun run, ScenarioResult result)
    {
        var printer = call.Printer;
        await printer.WriteNoteAsync($"{result.Scenario.Name} ({run.Path}): {Verdict(printer, result)}").ConfigureAwait(false);
        await printer.WriteNoteAsync("").ConfigureAwait(false);
        await printer.WriteAsync(OfInvoice(result.Invoice)).ConfigureAwait(false);
        foreach (var difference in result.Differences)
            await printer.WriteNoteAsync(printer.Painted($"  differs: {difference}", Colour.Red)).ConfigureAwait(false);
        foreach (var note in ScenarioText.NotesOf(result))
            await printer.WriteNoteAsync($"  note: {note}").ConfigureAwait(false);
        await printer.WriteNoteAsync("").ConfigureAwait(false);
    }

    private static Table OfInvoice(Invoice invoice)
    {
        var currency = invoice.Currency;
        var table = new Table("", "quantity", currency.Code, "how");
        foreach (var line in invoice.Lines)
        {
            var parts = line.Priced.Parts;
            var how = parts.Count == 1 ? Explanation.Of(parts[0], currency, line.Share) : "";
            table.Add(line.Metric, line.Item.Quantity.ToString(), AmountText.Of(line.Amount, currency), how);
            if (parts.Count == 1)
                continue;
            foreach (var part in parts)
                table.Add("", "", "", Explanation.Of(part, currency, line.Share));
        }

        table.Add("subtotal", "", AmountText.Of(invoice.Subtotal, currency), "");
        foreach (var step in invoice.Steps)
            table.Add(Label(step), "", AmountText.Of(step.Amount, currency), Explanation.Of(step, currency));
        return table.Add("total", "", AmountText.Of(invoice.Total, currency), "");
    }

    private static string Label(InvoiceStep step) => step.Kind == InvoiceStepKind.TrueUp ? "true-up" : step.Kind.ToString().ToLowerInvariant();

    private static string Verdict(Printer printer, ScenarioResult result) => result.Passed is { } passed
        ? printer.Painted(Word(result), passed ? Colour.Green : Colour.Red) : Word(result);

    private static string Word(ScenarioResult result) => result.Passed switch
    {
        true => "as expected",
        false => "differs",
        null => "computed",
    };

    private static string Summary(IReadOnlyList<ScenarioRun> runs) => string.Create(
        CultureInfo.InvariantCulture,
        $"{runs.Count} scenarios: {runs.Count(run => run.IsFine)} fine, {runs.Count(run => run.Result is { Passed: false })} differ, {runs.Count(run => run.Result is null)} cannot be computed.");
}
