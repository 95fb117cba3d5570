using System.CommandLine;
using StripeMeter.Cli.Printing;

namespace StripeMeter.Cli.Commands;

/// <summary>Options that every command has.</summary>
internal static class CommonOptions
{
    public const string KeyVariable = "STRIPEMETER_API_KEY";
    public const string UrlVariable = "STRIPEMETER_URL";
    private const string DefaultUrl = "http://localhost:3000";

    public static readonly Option<Uri?> Url = new("--url", "--api-url")
    {
        Description = $"Address of StripeMeter's REST API. Default: {UrlVariable}, else {DefaultUrl}.",
        HelpName = "ADDRESS",
        Recursive = true,
        CustomParser = result => ReadUrl(result.Tokens[0].Value, result.AddError),
    };

    public static readonly Option<string?> ApiKey = new("--api-key")
    {
        Description = $"Key for the API. Default: {KeyVariable}. Others on the machine can see a command line; prefer the variable.",
        HelpName = "KEY",
        Recursive = true,
    };

    public static readonly Option<OutputFormat> Output = new("--output", "-o")
    {
        Description = "table for people, json for programs.",
        DefaultValueFactory = _ => OutputFormat.Table,
        Recursive = true,
    };

    public static readonly Option<int> TimeoutSeconds = new("--timeout-seconds")
    {
        Description = "Seconds after which a request is given up, 1 to 3600.",
        DefaultValueFactory = _ => 60,
        Recursive = true,
    };

    static CommonOptions() => TimeoutSeconds.Within(1, 3_600);

    public static IEnumerable<Option> All => [Url, ApiKey, Output, TimeoutSeconds];

    /// <summary>The address of the API, which ends with a slash.</summary>
    /// <exception cref="CliException">The variable holds no address.</exception>
    public static Uri UrlOf(ParseResult line, CliHost host)
    {
        if (line.GetValue(Url) is { } given)
            return given;
        var text = host.Variable(UrlVariable) is { Length: > 0 } set ? set : DefaultUrl;
        return ReadUrl(text, problem => throw new CliException(problem))!;
    }

    /// <summary>Refuses numbers outside of the bounds, both inclusive.</summary>
    public static void Within(this Option<int> option, int minimum, int maximum) => option.Validators.Add(result =>
    {
        if (result.Errors.Any())
            return;
        var value = result.GetValueOrDefault<int>();
        if (value < minimum || value > maximum)
            result.AddError($"{option.Name} must be {minimum} to {maximum}, not {value}.");
    });

    private static Uri? ReadUrl(string text, Action<string> refuse)
    {
        if (Uri.TryCreate(text.EndsWith('/') ? text : text + "/", UriKind.Absolute, out var address)
            && (address.Scheme == Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps))
        {
            return address;
        }

        refuse($"'{text}' is not an address such as {DefaultUrl}.");
        return null;
    }
}
