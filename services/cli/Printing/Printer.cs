using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using StripeMeter.Cli.Commands;

namespace StripeMeter.Cli.Printing;

/// <summary>Writes answers to standard output, as a table or as JSON.</summary>
internal sealed class Printer(CliHost host, OutputFormat format)
{
    private const string NoColourVariable = "NO_COLOR";
    private const string Off = "\e[0m";
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly bool _paints = host.OutIsTerminal && string.IsNullOrEmpty(host.Variable(NoColourVariable));

    public bool IsJson => format == OutputFormat.Json;

    /// <summary>Writes the document as it is, or what people are to see of it.</summary>
    public Task WriteAsync(JsonNode document, Func<JsonNode, Table> toTable) =>
        IsJson ? WriteJsonAsync(document) : WriteAsync(toTable(document));

    public Task WriteAsync(Table table) => host.Out.WriteAsync(table.ToText(_paints ? ("\e[1m", Off) : ("", "")));

    /// <summary>The text in a colour, if people see colours.</summary>
    public string Painted(string text, Colour colour) => _paints ? $"\e[{(int)colour}m{text}{Off}" : text;

    public Task WriteJsonAsync(JsonNode document) => host.Out.WriteLineAsync(document.ToJsonString(Indented));

    /// <summary>A sentence for people only.</summary>
    public Task WriteNoteAsync(string sentence) => IsJson ? Task.CompletedTask : host.Out.WriteLineAsync(sentence);
}

/// <summary>Colours of a terminal, by their codes.</summary>
internal enum Colour
{
    Red = 31,
    Green = 32,
}
