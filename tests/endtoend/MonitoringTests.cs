using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using StripeMeter.Kits.Files;
using Xunit;

namespace StripeMeter.EndToEnd.Tests;

/// <summary>The dashboard and the alert rules name only metrics that the running system exports.</summary>
public sealed partial class MonitoringTests
{
    private static readonly HashSet<string> Functions = ["sum", "rate", "max", "increase", "histogram_quantile", "max_over_time"];

    /// <summary>Metrics of things that must first go wrong, or that nobody in this test does: they are exported once they happen.</summary>
    private static readonly string[] ExportedOnceTheyHappen =
    [
        "ingest_overloads_total", "late_events_approved_total", "adjustments_approved_total", "recounts_done_total",
        "events_upsert_conflicts_total", "counters_audited_total", "published_events_taken_total", "stripe_pushes_total",
        "stripe_breaker_open",
    ];

    [Fact]
    public async Task DashboardAndRules_NameOnlyMetricsThatAreExported()
    {
        // A process of its own: what a system that ends in this one takes away would be missing.
        await using var system = new SystemProcess();
        await system.StartAsync();
        using var http = new HttpClient { BaseAddress = system.Rest };
        await ExerciseAsync(http);
        var named = Dashboard().Concat(Rules()).SelectMany(MetricsOf).Except(ExportedOnceTheyHappen).ToHashSet();

        Assert.True(named.Count > 10);
        await EmbeddedSystem.UntilAsync(
            async () => !named.Except(await ExportedAsync(http)).Any(), "all metrics are exported");
    }

    [Fact]
    public void ExportedOnceTheyHappen_IsWhatTheServicesDeclare()
    {
        var declared = Directory.GetFiles(Path.Combine(Repository.Root, "services"), "*.cs", SearchOption.AllDirectories)
            .Select(File.ReadAllText).SelectMany(text => Counter().Matches(text).Select(match => match.Groups[1].Value + "_total")
                .Concat(Gauge().Matches(text).Select(match => match.Groups[1].Value))).ToHashSet();

        Assert.Empty(ExportedOnceTheyHappen.Except(declared));
    }

    /// <summary>What appears with its first count has not increased, in the eyes of Prometheus.</summary>
    [Fact]
    public void Rules_ThatWatchAnIncrease_WatchWhatIsExportedBefore()
    {
        var watched = Rules().SelectMany(rule => Increase().Matches(rule).Select(match => match.Groups[1].Value)).ToList();

        Assert.Contains("counter_audit_mismatches_total", watched);
        Assert.Empty(watched.Intersect(ExportedOnceTheyHappen));
    }

    [Fact]
    public void Rules_NameOnlyLabelValuesThatServicesSet()
    {
        var set = Directory.GetFiles(Path.Combine(Repository.Root, "services"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(file => Word().Matches(File.ReadAllText(file)).Select(match => match.Groups[1].Value)).ToHashSet();
        var named = Rules().SelectMany(rule => Label().Matches(rule).SelectMany(match => match.Groups[1].Value.Split('|'))).ToList();

        Assert.Contains("refused", named);
        Assert.Empty(named.Except(set));
    }

    private static async Task ExerciseAsync(HttpClient http)
    {
        var now = TimeProvider.System.GetUtcNow();
        object Event(string quantity, string key, int hours) => new
        {
            tenantId = "monitored", metric = "m", customerRef = "c", quantity, ts = now.AddHours(-hours).ToString("O", System.Globalization.CultureInfo.InvariantCulture), idempotencyKey = key,
        };
        object[] events = [Event("1", "a", 0), Event("x", "b", 0), Event("1", "a", 0), Event("1", "late", 100)];
        using var response = await http.PostAsJsonAsync("/v1/events/ingest", new { events });
        Assert.True(response.IsSuccessStatusCode);
    }

    private static async Task<IEnumerable<string>> ExportedAsync(HttpClient http)
    {
        var text = await http.GetStringAsync(new Uri("/metrics", UriKind.Relative));
        return text.Split('\n').Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split('{', ' ')[0]);
    }

    private static IEnumerable<string> Dashboard() =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(Repository.Root, "ops/grafana/stripemeter.json")))!["panels"]!.AsArray()
            .SelectMany(panel => panel!["targets"]!.AsArray()).Select(target => (string)target!["expr"]!);

    private static IEnumerable<string> Rules() =>
        Expression().Matches(File.ReadAllText(Path.Combine(Repository.Root, "ops/prometheus/rules.yml"))).Select(match => match.Groups[1].Value);

    private static IEnumerable<string> MetricsOf(string expression)
    {
        var bare = Selector().Replace(Grouping().Replace(expression, " "), " ");
        return Name().Matches(bare).Select(match => match.Value).Where(name => !Functions.Contains(name));
    }

    [GeneratedRegex(@"^\s+expr: (.+)$", RegexOptions.Multiline)]
    private static partial Regex Expression();

    [GeneratedRegex(@"\{[^}]*\}|\[[^\]]*\]")]
    private static partial Regex Selector();

    [GeneratedRegex(@"\bby \([^)]*\)")]
    private static partial Regex Grouping();

    [GeneratedRegex(@"\b[a-z_]+\b")]
    private static partial Regex Name();

    [GeneratedRegex(@"\b(?:outcome|queue|reason)=~?""([^""]+)""")]
    private static partial Regex Label();

    [GeneratedRegex(@"\bincrease\(([a-z_]+)")]
    private static partial Regex Increase();

    [GeneratedRegex(@"""([a-z_]+)""")]
    private static partial Regex Word();

    [GeneratedRegex(@"CreateCounter<long>\(\s*""([a-z_]+)""")]
    private static partial Regex Counter();

    [GeneratedRegex(@"CreateObservableGauge\(\s*""([a-z_]+)""")]
    private static partial Regex Gauge();
}
