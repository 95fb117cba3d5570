using StripeMeter.Cli.Commands;

namespace StripeMeter.Pricing.Tests.Kit;

/// <summary>What a command line did.</summary>
internal sealed record CommandLine(int Code, string Out, string Error)
{
    public static Task<CommandLine> RunAsync(params string[] line) => RunAsync(terminal: false, line);

    public static async Task<CommandLine> RunAsync(bool terminal, params string[] line)
    {
        using var written = new StringWriter();
        using var error = new StringWriter();
        var host = new CliHost { In = Stream.Null, Out = written, Error = error, OutIsTerminal = terminal };
        var code = await StripeMeterCommand.RunAsync(line, host);
        return new CommandLine(code, written.ToString(), error.ToString());
    }
}

/// <summary>A folder that goes when the test does.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("stripemeter-pricing-").FullName;

    public string Write(string name, string text)
    {
        var path = System.IO.Path.Combine(Path, name);
        File.WriteAllText(path, text);
        return path;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
