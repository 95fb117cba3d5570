using System.Globalization;

namespace StripeMeter.Examples.LlmTokens;

/// <summary>One request of the trace.</summary>
/// <param name="Timestamp">When it was made, in UTC.</param>
/// <param name="ContextTokens">Tokens that went in.</param>
/// <param name="GeneratedTokens">Tokens that came out.</param>
internal readonly record struct UsageRow(DateTime Timestamp, long ContextTokens, long GeneratedTokens);

/// <summary>Reads <c>TIMESTAMP,ContextTokens,GeneratedTokens</c> files.</summary>
internal static class UsageFile
{
    /// <summary>The rows in the order of time, so that the order of the file does not decide which customer a row goes to.</summary>
    /// <exception cref="FormatException">Names the line that cannot be read.</exception>
    public static UsageRow[] Read(string path)
    {
        var rows = new List<UsageRow>();
        var number = 0;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            if (number == 1 || string.IsNullOrWhiteSpace(line))
                continue;
            rows.Add(TryRead(line) ?? throw new FormatException($"{path}, line {number}: '{line}' is not timestamp,tokens,tokens."));
        }

        return [.. rows.OrderBy(row => row.Timestamp).ThenBy(row => row.ContextTokens).ThenBy(row => row.GeneratedTokens)];
    }

    private static UsageRow? TryRead(string line)
    {
        const DateTimeStyles Utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        return line.Split(',') is [var time, var context, var generated]
            && DateTime.TryParse(time, CultureInfo.InvariantCulture, Utc, out var timestamp)
            && long.TryParse(context, NumberStyles.None, CultureInfo.InvariantCulture, out var contextTokens)
            && long.TryParse(generated, NumberStyles.None, CultureInfo.InvariantCulture, out var generatedTokens)
            ? new UsageRow(timestamp, contextTokens, generatedTokens)
            : null;
    }
}
