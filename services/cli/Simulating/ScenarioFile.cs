using System.Text.Json;
using StripeMeter.Cli.Commands;
using StripeMeter.Metering.Pricing;
using StripeMeter.Metering.Pricing.Scenarios;

namespace StripeMeter.Cli.Simulating;

/// <summary>A scenario file: its scenario, or what is wrong with it.</summary>
internal sealed record ScenarioFile(string Path, Scenario? Scenario, IReadOnlyList<PricingProblem> Problems)
{
    private const int MaximumBytes = 4 * 1024 * 1024;
    private static readonly string[] Endings = [".sim.json", ".sim.yaml", ".sim.yml"];
    private static readonly JsonDocumentOptions Options = new() { AllowDuplicateProperties = false };

    /// <summary>Files, and the scenario files in folders and the folders below them, in the order of their names.</summary>
    /// <exception cref="CliException">There is none.</exception>
    public static IReadOnlyList<ScenarioFile> ReadAll(IEnumerable<string> paths)
    {
        var files = paths.SelectMany(Expand).Distinct().Select(Read).ToArray();
        return files.Length > 0 ? files : throw new CliException($"There is no scenario file (*{string.Join(", *", Endings)}).");
    }

    /// <summary>The result of the scenario; null with problems when it cannot be computed.</summary>
    public (ScenarioResult? Result, IReadOnlyList<PricingProblem> Problems) Run()
    {
        if (Scenario is null)
            return (null, Problems);
        try
        {
            return (ScenarioRunner.Run(Scenario), []);
        }
        catch (PricingException refusal)
        {
            return (null, refusal.Problems);
        }
    }

    private static IEnumerable<string> Expand(string path)
    {
        if (!Directory.Exists(path))
            return [path];
        return Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories)
            .Where(file => Endings.Any(ending => file.EndsWith(ending, StringComparison.Ordinal))).Order(StringComparer.Ordinal);
    }

    private static ScenarioFile Read(string path)
    {
        try
        {
            return new ScenarioFile(path, ScenarioReader.Read(Parse(path)), []);
        }
        catch (PricingException refusal)
        {
            return new ScenarioFile(path, null, refusal.Problems);
        }
        catch (Exception problem) when (problem is FormatException or JsonException)
        {
            return new ScenarioFile(path, null, [new PricingProblem("", problem.Message)]);
        }
    }

    /// <summary>The content of a YAML or JSON file.</summary>
    /// <exception cref="FormatException">It is too large, or no YAML.</exception>
    /// <exception cref="JsonException">It is no JSON.</exception>
    public static JsonElement Parse(string path)
    {
        if (new FileInfo(path).Length > MaximumBytes)
            throw new FormatException($"is larger than {MaximumBytes} bytes");
        var text = File.ReadAllText(path);
        if (path.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
        {
            using var document = JsonDocument.Parse(text, Options);
            return document.RootElement.Clone();
        }

        return JsonSerializer.SerializeToElement(YamlJson.Read(text));
    }
}
