using System.CommandLine;
using StripeMeter.Cli.Commands;
using StripeMeter.EventFiles;

namespace StripeMeter.Cli.Ingesting;

/// <summary>The file of a command, and what its rows do not say themselves.</summary>
internal sealed class FileArguments
{
    public const string StandardInput = "-";

    public Argument<string> File { get; } = new("FILE")
    {
        Description = "CSV with a header, or JSON Lines; - reads standard input.",
    };

    public Option<EventFileFormat?> Format { get; } = new("--format")
    {
        Description = "csv or jsonl. Default: by the ending of the name (.csv; .jsonl, .ndjson, .json).",
        HelpName = "csv|jsonl",
        CustomParser = result => result.Tokens[0].Value switch
        {
            "csv" => EventFileFormat.Csv,
            "jsonl" or "json" => EventFileFormat.JsonLines,
            var other => Refuse(result, other),
        },
    };

    public Option<string?> Tenant { get; } = new("--tenant") { Description = "Tenant of rows that name none." };

    public Option<string?> Metric { get; } = new("--metric") { Description = "Metric of rows that name none." };

    public Option<string?> Customer { get; } = new("--customer") { Description = "Customer of rows that name none." };

    public Option<string?> KeyPrefix { get; } = new("--key-prefix")
    {
        Description = "Row n without a key gets the key PREFIX:n. Without it, equal rows without keys count once.",
        HelpName = "PREFIX",
    };

    public void AddTo(Command command)
    {
        command.Add(File);
        foreach (var option in (Option[])[Format, Tenant, Metric, Customer, KeyPrefix])
            command.Add(option);
    }

    public EventFileDefaults Defaults(CommandCall call) => new()
    {
        Tenant = call.Value(Tenant),
        Metric = call.Value(Metric),
        Customer = call.Value(Customer),
        KeyPrefix = call.Value(KeyPrefix) ?? "",
    };

    /// <exception cref="CliException">Neither the name nor an option tells the format.</exception>
    public EventFileFormat FormatOf(CommandCall call)
    {
        var name = call.Required(File);
        return call.Value(Format) ?? EventFileFormats.OfFileName(name) ?? throw new CliException(
            name == StandardInput ? "Standard input needs --format csv or --format jsonl."
                : $"The name {name} does not tell the format: add --format csv or --format jsonl.");
    }

    /// <summary>Opens the file.</summary>
    /// <exception cref="IOException">It is not there.</exception>
    public Stream Open(CommandCall call)
    {
        var name = call.Required(File);
        return name == StandardInput ? call.Host.In : System.IO.File.OpenRead(name);
    }

    private static EventFileFormat? Refuse(System.CommandLine.Parsing.ArgumentResult result, string format)
    {
        result.AddError($"'{format}' is not a format: csv or jsonl.");
        return null;
    }
}
