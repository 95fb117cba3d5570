using System.Xml.Linq;
using StripeMeter.Metering.Pricing.Scenarios;

namespace StripeMeter.Cli.Simulating;

/// <summary>Results as JUnit XML, which build servers show.</summary>
internal static class JUnitReport
{
    /// <param name="path">Where to; null writes nothing.</param>
    /// <param name="runs">What was run.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task WriteAsync(string? path, IReadOnlyList<ScenarioRun> runs, CancellationToken cancellation)
    {
        if (path is null)
            return;
        var suite = new XElement(
            "testsuite",
            new XAttribute("name", "stripemeter simulate"),
            new XAttribute("tests", runs.Count),
            new XAttribute("failures", runs.Count(run => run.Result is { Passed: false })),
            new XAttribute("errors", runs.Count(run => run.Result is null)),
            runs.Select(Case));
        var file = File.Create(path);
        await using var _ = file.ConfigureAwait(false);
        await new XDocument(new XElement("testsuites", suite)).SaveAsync(file, SaveOptions.None, cancellation).ConfigureAwait(false);
    }

    private static XElement Case(ScenarioRun run) => new(
        "testcase", new XAttribute("classname", run.Path), new XAttribute("name", run.Name), Outcome(run));

    private static XElement? Outcome(ScenarioRun run) => run.Result switch
    {
        null => new XElement("error", new XAttribute("message", string.Join("; ", run.Problems))),
        { Passed: false } result => new XElement("failure", new XAttribute("message", string.Join("; ", result.Differences)), string.Join('\n', ScenarioText.NotesOf(result))),
        _ => null,
    };
}
