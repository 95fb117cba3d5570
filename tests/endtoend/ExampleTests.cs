using System.Diagnostics;
using System.Globalization;
using StripeMeter.Kits.Files;
using Xunit;

namespace StripeMeter.EndToEnd.Tests;

/// <summary>The examples do what their pages say.</summary>
public sealed class ExampleTests(RefusalTests.Fixture fixture) : IClassFixture<RefusalTests.Fixture>
{
    private readonly EmbeddedSystem _system = fixture.System;

    [Fact]
    public async Task GrpcClient_Run_PrintsWhatItsPageShows()
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "examples/grpc-client/README.md"));

        var said = await RunAsync("dotnet", [Built("grpc-client", "StripeMeter.Examples.GrpcClient"), _system.IngestAddress.ToString()]);

        Assert.Contains(said.Trim(), page, StringComparison.Ordinal);
        await _system.UntilCountedAsync("grpc-client");
        Assert.Equal("1001.5", await _system.CurrentAsync("grpc-client", "cus_01", "api_calls"));
    }

    [Fact]
    public async Task DaprPublisher_Run_CountsEachEventOnce()
    {
        await RunAsync("dotnet", [Built("dapr-publisher", "StripeMeter.Examples.DaprPublisher")]);

        await EmbeddedSystem.UntilAsync(
            async () => await _system.CurrentAsync("dapr-publisher", "cus_01", "api_calls") == "2", "each event is counted once");
    }

    [Fact]
    public async Task DaprPublisher_Script_CountsEachEventOnce()
    {
        await RunAsync("bash", [Path.Combine(Repository.Root, "examples/dapr-publisher/publish.sh")]);

        await EmbeddedSystem.UntilAsync(
            async () => await _system.CurrentAsync("dapr-publisher", "cus_02", "api_calls") == "1.5", "each event is counted once");
    }

    /// <summary>The example where it was built: it runs with the frameworks that it names itself.</summary>
    private static string Built(string example, string assembly)
    {
        var folder = Path.GetRelativePath(Path.Combine(Repository.Root, "tests/endtoend"), AppContext.BaseDirectory);
        return Path.Combine(Repository.Root, "examples", example, folder, assembly + ".dll");
    }

    private async Task<string> RunAsync(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DAPR_HTTP_PORT"] = _system.Publisher.HttpPort.ToString(CultureInfo.InvariantCulture);
        start.Environment["DAPR_GRPC_PORT"] = _system.Publisher.GrpcPort.ToString(CultureInfo.InvariantCulture);
        using var process = Process.Start(start)!;
        var said = process.StandardOutput.ReadToEndAsync();
        var complained = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{await said}{await complained}");
        return await said;
    }
}
