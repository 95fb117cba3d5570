namespace StripeMeter.Cli.Commands;

/// <summary>What a command ends with.</summary>
public static class ExitCode
{
    /// <summary>All was done.</summary>
    public const int Ok = 0;

    /// <summary>Something was refused or failed; what was done stands, and running the command again is safe.</summary>
    public const int Failed = 1;

    /// <summary>The command line is wrong; nothing was done.</summary>
    public const int Usage = 2;
}
