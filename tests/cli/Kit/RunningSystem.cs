using System.Text.Json.Nodes;
using StripeMeter.Cli.Commands;
using StripeMeter.Kits.Waiting;
using StripeMeter.Local;
using Xunit;

[assembly: AssemblyFixture(typeof(StripeMeter.Cli.Tests.Kit.RunningSystem))]

namespace StripeMeter.Cli.Tests.Kit;

/// <summary>The whole system in this process, in front of which the commands run. Tests keep apart by their tenants.</summary>
public sealed class RunningSystem : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("stripemeter-cli-").FullName;
    private LocalSystem? _system;

    public Uri Rest => _system!.Rest;

    public async ValueTask InitializeAsync()
    {
        var options = new LocalOptions { DataDirectory = _folder, ApiPort = 0, IngestPort = 0, StripeDoublePort = 0 };
        var settings = new Dictionary<string, string?> { ["LOG_LEVEL"] = "critical", ["CATCH_UP_INTERVAL_MS"] = "200" };
        _system = await LocalSystem.StartAsync(options, settings, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await _system!.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Runs a command line against the system, with this text as its standard input.</summary>
    public Task<CommandResult> RunAsync(string input, params string[] line) =>
        CommandResult.RunAsync(input, [.. line, "--url", Rest.ToString()]);

    /// <summary>Waits until all that was sent for a tenant is counted.</summary>
    public async Task UntilCountedAsync(string tenant)
    {
        using var http = new HttpClient { BaseAddress = Rest };
        await Patience.UntilAsync(async () =>
            (bool)JsonNode.Parse(await http.GetStringAsync(new Uri($"/v1/counters/progress?tenantId={tenant}", UriKind.Relative)))!["caughtUp"]!);
    }

    /// <summary>What the ledger lists of a tenant.</summary>
    public async Task<IReadOnlyList<JsonNode>> EventsAsync(string tenant)
    {
        using var http = new HttpClient { BaseAddress = Rest };
        var page = await http.GetStringAsync(new Uri($"/v1/events?limit=100&tenantId={tenant}", UriKind.Relative));
        return [.. JsonNode.Parse(page)!["events"]!.AsArray().OfType<JsonNode>()];
    }
}

/// <summary>What a command line did.</summary>
public sealed record CommandResult(int Code, string Out, string Error)
{
    public JsonNode Json => JsonNode.Parse(Out)!;

    public static async Task<CommandResult> RunAsync(string input, string[] line, Func<string, string?>? variable = null)
    {
        using var written = new StringWriter();
        using var error = new StringWriter();
        var host = new CliHost
        {
            In = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(input)),
            Out = written,
            Error = error,
            Variable = variable ?? (_ => null),
            Clock = new InNoTime(),
        };
        var code = await StripeMeterCommand.RunAsync(line, host);
        return new CommandResult(code, written.ToString(), error.ToString());
    }

    /// <summary>Nothing takes long, so no progress is told, however slow the machine is.</summary>
    private sealed class InNoTime : TimeProvider
    {
        public override long GetTimestamp() => 0;
    }
}
