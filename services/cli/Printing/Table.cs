using System.Buffers;
using System.Text;

namespace StripeMeter.Cli.Printing;

/// <summary>Text in columns. A column of numbers is set to the right.</summary>
internal sealed class Table(params string[] headers)
{
    private const string Gap = "  ";
    private static readonly SearchValues<char> Numeric = SearchValues.Create("-.0123456789");
    private readonly List<string[]> _rows = [];

    public int Count => _rows.Count;

    public Table Add(params string[] cells)
    {
        if (cells.Length != headers.Length)
            throw new ArgumentException($"A row of this table has {headers.Length} cells.", nameof(cells));
        _rows.Add(cells);
        return this;
    }

    /// <param name="bold">Puts the headers between these two texts.</param>
    public string ToText((string On, string Off) bold)
    {
        var widths = headers.Select((header, column) =>
            _rows.Select(row => row[column].Length).Append(header.Length).Max()).ToArray();
        var right = headers.Select((_, column) => _rows.Count > 0 && _rows.All(row => IsNumber(row[column]))).ToArray();
        var text = new StringBuilder();
        text.Append(bold.On).Append(Line(headers, widths, right)).Append(bold.Off).Append('\n');
        foreach (var row in _rows)
            text.Append(Line(row, widths, right)).Append('\n');
        return text.ToString();
    }

    private static string Line(string[] cells, int[] widths, bool[] right) => string.Join(Gap, cells.Select((cell, column) =>
        right[column] ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]))).TrimEnd();

    private static bool IsNumber(string cell) => cell.AsSpan().IndexOfAnyExcept(Numeric) < 0;
}
