namespace StripeMeter.Cli.Commands;

/// <summary>What a command line has around it, so that tests can stand there.</summary>
public sealed record CliHost
{
    public required Stream In { get; init; }

    public required TextWriter Out { get; init; }

    public required TextWriter Error { get; init; }

    /// <summary>Whether people read <see cref="Out"/>: only then it has colours.</summary>
    public bool OutIsTerminal { get; init; }

    /// <summary>Whether people read <see cref="Error"/>: only then progress is written over itself.</summary>
    public bool ErrorIsTerminal { get; init; }

    /// <summary>A variable of the environment; null if it is not set.</summary>
    public Func<string, string?> Variable { get; init; } = _ => null;

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    public static CliHost OfThisProcess() => new()
    {
        In = Console.OpenStandardInput(),
        Out = Console.Out,
        Error = Console.Error,
        OutIsTerminal = !Console.IsOutputRedirected,
        ErrorIsTerminal = !Console.IsErrorRedirected,
        Variable = Environment.GetEnvironmentVariable,
    };
}
