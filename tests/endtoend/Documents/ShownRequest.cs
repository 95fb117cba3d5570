using System.Text.RegularExpressions;

namespace StripeMeter.EndToEnd.Tests.Documents;

/// <summary>A request to the API that a command makes.</summary>
/// <param name="Method">Such as GET.</param>
/// <param name="Path">Without its query; variables of the shell stand in it.</param>
internal sealed partial record ShownRequest(string Method, string Path)
{
    /// <summary>Those of a document's commands.</summary>
    public static IEnumerable<ShownRequest> In(string markdown) => Block().Matches(markdown).SelectMany(block => Of(block.Groups[1].Value));

    /// <summary>The last one of a block of commands, whose answer stands behind it.</summary>
    public static ShownRequest? Last(string commands) => Of(commands).LastOrDefault();

    private static IEnumerable<ShownRequest> Of(string commands) => Curl().Split(commands).Skip(1).Select(Read).OfType<ShownRequest>();

    private static ShownRequest? Read(string command)
    {
        var address = Address().Match(command);
        if (!address.Success)
            return null;
        var method = MethodOption().Match(command) is { Success: true } named ? named.Groups[1].Value : Data().IsMatch(command) ? "POST" : "GET";
        return new ShownRequest(method, address.Groups[1].Value);
    }

    [GeneratedRegex("^```sh\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Block();

    [GeneratedRegex(@"\bcurl\b")]
    private static partial Regex Curl();

    [GeneratedRegex("""(?:http://localhost:3000|\$STRIPEMETER_URL)(/[^\s"'?]+)""")]
    private static partial Regex Address();

    [GeneratedRegex(@"-X (\w+)")]
    private static partial Regex MethodOption();

    [GeneratedRegex("--json| -d ")]
    private static partial Regex Data();
}
