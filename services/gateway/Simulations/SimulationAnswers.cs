using System.Text.Json;
using StripeMeter.Gateway.Requests;
using StripeMeter.V1;

namespace StripeMeter.Gateway.Simulations;

/// <summary>What the pricing service answers, in the shapes of REST.</summary>
internal static class SimulationAnswers
{
    public static InvoiceAnswer Of(SimulatedInvoice invoice) => new(
        invoice.CustomerRef, RestTime.Write(invoice.PeriodStart), RestTime.Write(invoice.PeriodEnd), invoice.Currency, invoice.Rounding,
        [.. invoice.Lines.Select(Of)], invoice.Subtotal,
        [.. invoice.Steps.Select(step => new InvoiceStepAnswer(step.Kind, step.Name, step.Amount, step.Explanation))],
        invoice.Discounts, invoice.Credits, invoice.Tax, invoice.Total, invoice.Notes);

    /// <summary>A scenario; with its document, unless it is of a listing.</summary>
    public static ScenarioAnswer Of(SimulationScenario scenario)
    {
        var document = Json(scenario.DocumentJson);
        return new ScenarioAnswer(
            scenario.Id, scenario.TenantId, scenario.Name, scenario.Description, scenario.Version, scenario.Tags, scenario.Active,
            RestTime.Write(scenario.CreateTime), RestTime.Write(scenario.UpdateTime), Member(document, "model"), Member(document, "inputs"),
            Member(document, "expected"), Member(document, "tolerances"), Member(document, "rounding")?.GetString());
    }

    public static RunAnswer Of(SimulationRun run) => new(
        run.Id, run.TenantId, run.ScenarioId.OrNull(), run.Name, run.Description, Json(run.MetadataJson),
        SimulationWords.Of(run.Type), SimulationWords.Of(run.Status), run.Invoice is { } invoice ? Of(invoice) : null,
        run.HasPassed ? new RunComparison(run.Passed, [.. run.Differences.Select(Of)]) : null, run.HasPassed ? run.Passed : null,
        run.Problems.Count > 0 ? ErrorOf(run) : null, DurationOf(run), RestTime.Write(run.CreateTime), RestTime.Write(run.StartTime),
        RestTime.Write(run.EndTime));

    public static BatchAnswer Of(GetBatchResponse found)
    {
        var (batch, runs) = (found.Batch, found.Runs);
        var summary = new BatchSummary(
            batch.RunIds.Count, Count(RunStatus.Completed), Count(RunStatus.Failed), Count(RunStatus.Pending), Count(RunStatus.Running),
            batch.RunIds.Count - runs.Count, runs.Count > 0 ? Math.Round(100m * Count(RunStatus.Completed) / runs.Count, 2) : null);
        var isOver = summary is { Pending: 0, Running: 0 };
        return new BatchAnswer(
            batch.Id, batch.TenantId, batch.Name, batch.Description, batch.ScenarioIds, isOver ? EndOf(summary) : SimulationWords.Of(RunStatus.Running),
            summary, [.. runs.Select(run => new BatchRun(
                run.Id, SimulationWords.Of(run.Status), run.ScenarioId, run.HasPassed ? run.Passed : null, run.Problems.Count > 0 ? ErrorOf(run) : null))],
            RestTime.Write(batch.CreateTime), isOver ? RestTime.Write(runs.Select(run => run.EndTime).MaxBy(end => end?.ToDateTimeOffset())) : null);

        int Count(RunStatus status) => runs.Count(run => run.Status == status);
    }

    private static string EndOf(BatchSummary summary)
    {
        if (summary.Completed == summary.TotalRuns)
            return SimulationWords.Of(RunStatus.Completed);
        return summary.Failed == summary.TotalRuns ? SimulationWords.Of(RunStatus.Failed) : "partial";
    }

    private static InvoiceLineAnswer Of(SimulatedLine line) => new(
        line.Metric, new ExactNumber(line.Quantity), line.Amount,
        [.. line.Parts.Select(part => new InvoicePartAnswer(
            part.Kind, part.Tier == 0 ? null : part.Tier, new ExactNumber(part.Quantity), new ExactNumber(part.UnitAmount), part.Amount,
            part.Explanation))]);

    private static RunDifference Of(SimulatedDifference difference) =>
        new(difference.Field, difference.Expected, difference.Actual, ExactNumber.OfText(difference.Difference));

    private static RunError ErrorOf(SimulationRun run) => new(
        string.Join("; ", run.Problems.Select(problem => $"{problem.Field} {problem.Reason}".TrimStart())),
        [.. run.Problems.Select(problem => new RunErrorDetail(problem.Field, problem.Reason))]);

    private static long? DurationOf(SimulationRun run) => run is { StartTime: { } start, EndTime: { } end }
        ? (long)(end.ToDateTimeOffset() - start.ToDateTimeOffset()).TotalMilliseconds : null;

    private static JsonElement? Json(string text)
    {
        if (text.Length == 0)
            return null;
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }

    private static JsonElement? Member(JsonElement? document, string name) =>
        document is { } found && found.TryGetProperty(name, out var value) ? value : null;
}
