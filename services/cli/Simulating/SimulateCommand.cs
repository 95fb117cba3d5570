using System.CommandLine;
using StripeMeter.Cli.Commands;
using StripeMeter.Metering.Pricing;
using StripeMeter.Metering.Pricing.Scenarios;

namespace StripeMeter.Cli.Simulating;

/// <summary><c>stripemeter simulate run|validate|report FILE…</c>: what usage would cost. Asks no server.</summary>
internal static class SimulateCommand
{
    public static Command Create(CliHost host) => new(
        "simulate", "Computes invoices with Stripe's arithmetic: from scenario files (*.sim.yaml, *.sim.json), which asks no server, and by other prices.")
    {
        Run(host), Validate(host), Report(host), CompareCommand.Create(host),
    };

    private static Command Run(CliHost host)
    {
        var (files, junit) = (Files(), JUnit());
        var command = new Command(
            "run", "Shows each invoice, how it comes about, and how it differs from what the file expects. Exit code 1 if one differs.")
        {
            files, junit,
        };
        return command.Does(host, async (call, cancellation) =>
        {
            var runs = RunAll(call.Required(files));
            if (call.Printer.IsJson)
                await call.Printer.WriteJsonAsync(SimulationJson.OfRuns(runs)).ConfigureAwait(false);
            else
                await SimulationTables.WriteRunsAsync(call, runs).ConfigureAwait(false);
            await JUnitReport.WriteAsync(call.Value(junit), runs, cancellation).ConfigureAwait(false);
            return runs.All(run => run.IsFine) ? ExitCode.Ok : ExitCode.Failed;
        });
    }

    private static Command Validate(CliHost host)
    {
        var files = Files();
        var command = new Command("validate", "Says whether files can be computed, and which field cannot. Exit code 1 if one cannot.") { files };
        return command.Does(host, async (call, _) =>
        {
            var runs = RunAll(call.Required(files));
            if (call.Printer.IsJson)
                await call.Printer.WriteJsonAsync(SimulationJson.OfValidation(runs)).ConfigureAwait(false);
            foreach (var run in runs)
                await WriteValidityAsync(call, run).ConfigureAwait(false);
            return runs.All(run => run.Result is not null) ? ExitCode.Ok : ExitCode.Failed;
        });
    }

    private static Command Report(CliHost host)
    {
        var (files, junit) = (Files(), JUnit());
        var failOnDifference = new Option<bool>("--fail-on-diff") { Description = "Exit code 1 if a scenario differs from what it expects." };
        var command = new Command("report", "Lists scenarios with their totals and differences. Exit code 1 if one cannot be computed.")
        {
            files, junit, failOnDifference,
        };
        return command.Does(host, async (call, cancellation) =>
        {
            var runs = RunAll(call.Required(files));
            await call.Printer.WriteAsync(SimulationJson.OfReport(runs), _ => SimulationTables.OfReport(runs)).ConfigureAwait(false);
            await WriteProblemsAsync(call, runs).ConfigureAwait(false);
            await JUnitReport.WriteAsync(call.Value(junit), runs, cancellation).ConfigureAwait(false);
            var failed = call.Value(failOnDifference) ? runs.Any(run => !run.IsFine) : runs.Any(run => run.Result is null);
            return failed ? ExitCode.Failed : ExitCode.Ok;
        });
    }

    private static ScenarioRun[] RunAll(string[] paths) =>
    [
        .. ScenarioFile.ReadAll(paths).Select(file =>
        {
            var (result, problems) = file.Run();
            return new ScenarioRun(file.Path, result, problems);
        }),
    ];

    private static async Task WriteValidityAsync(CommandCall call, ScenarioRun run)
    {
        if (run.Result is not null)
            await call.Printer.WriteNoteAsync($"OK: {run.Path}{(run.Result.Scenario.IsClassic ? " (older shape)" : "")}").ConfigureAwait(false);
        else
            await WriteProblemsAsync(call, [run]).ConfigureAwait(false);
    }

    internal static async Task WriteProblemsAsync(CommandCall call, IEnumerable<ScenarioRun> runs)
    {
        foreach (var run in runs.Where(run => run.Result is null))
        {
            foreach (var problem in run.Problems)
                await call.Host.Error.WriteLineAsync($"{run.Path}: {problem}").ConfigureAwait(false);
        }
    }

    private static Argument<string[]> Files() => new("FILE")
    {
        Description = "Scenario files, or folders with *.sim.yaml, *.sim.yml and *.sim.json at any depth.",
        Arity = ArgumentArity.OneOrMore,
    };

    private static Option<string?> JUnit() => new("--junit") { Description = "Also writes the results to this file as JUnit XML.", HelpName = "FILE" };
}

/// <summary>What became of a scenario file.</summary>
internal sealed record ScenarioRun(string Path, ScenarioResult? Result, IReadOnlyList<PricingProblem> Problems)
{
    public string Name => Result?.Scenario.Name ?? System.IO.Path.GetFileName(Path);

    /// <summary>Computed, and not other than expected.</summary>
    public bool IsFine => Result is { Passed: not false };
}
