using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Unicode;
using CsvHelper;

namespace StripeMeter.EventFiles;

/// <summary>Rows of a CSV file. The first names the columns; those that name no field are ignored, empty rows passed over.</summary>
internal sealed class CsvRows
{
    private const string WholeRow = "event";
    private readonly EventFileDefaults _defaults;
    private readonly RowReader _row;
    private readonly CsvReader _csv;
    private bool _isMalformed;

    private CsvRows(Stream content, EventFileDefaults defaults)
    {
        _defaults = defaults;
        _row = new RowReader(defaults);
        _csv = CsvReader.Create(content, new CsvReaderOptions
        {
            HasHeader = false,
            Separator = ',',
            MaxRecordSize = defaults.MaximumRowBytes,
            TrackLineNumbers = true,
            OnMalformedRecord = _ => _isMalformed = true,
        }, leaveOpen: true);
    }

    public static async IAsyncEnumerable<EventRow> ReadAsync(
        Stream content, EventFileDefaults defaults, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var rows = new CsvRows(content, defaults);
        await using var _ = rows._csv.ConfigureAwait(false);
        if (!await rows.NextAsync(cancellation).ConfigureAwait(false))
            yield break;
        var columns = rows.Columns();
        for (var number = 1L; await rows.NextAsync(cancellation).ConfigureAwait(false); number++)
            yield return rows.Read(columns, number);
    }

    private async Task<bool> NextAsync(CancellationToken cancellation)
    {
        _isMalformed = false;
        try
        {
            return await _csv.ReadAsync(cancellation).ConfigureAwait(false);
        }
        catch (CsvFormatException problem)
        {
            throw new EventFileException(
                $"A row is longer than {_defaults.MaximumRowBytes} bytes, perhaps because a quote is left open. Nothing behind it was read.",
                problem);
        }
    }

    private string?[] Columns()
    {
        var columns = new string?[_csv.FieldCount];
        for (var index = 0; index < columns.Length; index++)
        {
            columns[index] = EventColumns.FieldOf(_csv.GetString(index));
            if (columns[index] is { } field && Array.IndexOf(columns, field) < index)
                throw new EventFileException($"The first row names {EventColumns.RestName(field)} twice.");
        }

        return columns.Contains(EventColumns.Quantity) && columns.Contains(EventColumns.Timestamp)
            ? columns
            : throw new EventFileException("The first row must name the columns, at least quantity and ts.");
    }

    private EventRow Read(string?[] columns, long number)
    {
        _row.Begin();
        if (_isMalformed)
            _row.Refuse(WholeRow, "has a quote where none may be");
        else if (_csv.RawRecord.Length > _defaults.MaximumRowBytes)
            _row.Refuse(WholeRow, $"must have at most {_defaults.MaximumRowBytes} bytes");
        else if (_csv.FieldCount != columns.Length)
            _row.Refuse(WholeRow, $"must have {columns.Length} fields, as the first row has, not {_csv.FieldCount}");
        for (var index = 0; index < Math.Min(columns.Length, _csv.FieldCount); index++)
        {
            if (columns[index] is { } field)
                Take(field, _csv.GetSpan(index));
        }

        return _row.End(_csv.LineNumber, number);
    }

    private void Take(string field, ReadOnlySpan<byte> text)
    {
        if (Utf8.IsValid(text))
            _row.Take(field, Encoding.UTF8.GetString(text));
        else
            _row.Refuse(field, "must be UTF-8");
    }
}
