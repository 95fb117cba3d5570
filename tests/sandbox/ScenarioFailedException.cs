namespace StripeMeter.Sandbox;

/// <summary>Something is not as it should be. The message says what.</summary>
public sealed class ScenarioFailedException : Exception
{
    public ScenarioFailedException()
    {
    }

    public ScenarioFailedException(string message) : base(message)
    {
    }

    public ScenarioFailedException(string message, Exception cause) : base(message, cause)
    {
    }
}
