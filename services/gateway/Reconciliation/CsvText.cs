using System.Buffers;

namespace StripeMeter.Gateway.Reconciliation;

/// <summary>Rows of a CSV file after RFC 4180.</summary>
internal static class CsvText
{
    public const string ContentType = "text/csv; charset=utf-8";

    private static readonly SearchValues<char> Quoted = SearchValues.Create(",\"\r\n");

    public static string Row(params IEnumerable<string> cells) => string.Join(',', cells.Select(Cell)) + "\n";

    private static string Cell(string text) =>
        text.AsSpan().ContainsAny(Quoted) ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
}
