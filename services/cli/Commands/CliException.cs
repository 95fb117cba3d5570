namespace StripeMeter.Cli.Commands;

/// <summary>Ends a command with <see cref="ExitCode.Failed"/>. The message is for the person at the keyboard.</summary>
public sealed class CliException : Exception
{
    public CliException()
    {
    }

    public CliException(string message) : base(message)
    {
    }

    public CliException(string message, Exception cause) : base(message, cause)
    {
    }
}
