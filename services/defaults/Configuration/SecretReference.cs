using Microsoft.Extensions.Configuration;

namespace StripeMeter.Defaults.Configuration;

/// <summary>
/// Reads secrets that are given by reference: <c>env:NAME</c> for another environment variable, <c>file:PATH</c> for a
/// file. What is read is in no message.
/// </summary>
public static class SecretReference
{
    private const string Variable = "env:";
    private const string File = "file:";

    public static bool IsReference(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.StartsWith(Variable, StringComparison.Ordinal) || text.StartsWith(File, StringComparison.Ordinal);
    }

    /// <summary>The secret that is meant: what the reference leads to, or the text itself if it is none.</summary>
    /// <param name="setting">Name of the setting, for messages.</param>
    /// <param name="text">Value of the setting.</param>
    /// <param name="configuration">Where environment variables are found.</param>
    /// <exception cref="InvalidSettingException">The reference leads nowhere.</exception>
    public static string Resolve(string setting, string text, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(configuration);
        if (!IsReference(text))
            return text;
        var secret = text.StartsWith(Variable, StringComparison.Ordinal)
            ? configuration[text[Variable.Length..]] ?? ""
            : ReadFile(setting, text[File.Length..]);
        return secret.Trim() is { Length: > 0 } found
            ? found
            : throw new InvalidSettingException($"{setting}: there is nothing at {text}.");
    }

    private static string ReadFile(string setting, string path)
    {
        try
        {
            return System.IO.File.ReadAllText(path);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new InvalidSettingException($"{setting}: the file '{path}' cannot be read.", problem);
        }
    }
}
