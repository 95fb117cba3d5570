using System.Globalization;
using System.Text;

namespace StripeMeter.Bench.Backfilling;

/// <summary>A file of events of last week for a backfill: rows of about 2 kB, most of it meta, with random keys.</summary>
internal static class BackfillFile
{
    /// <summary>Bytes of a row, about.</summary>
    public const int RowBytes = 2_000;

    private const int Seed = 20_260_102;
    private const int NoteLength = 1_850;
    private static readonly TimeSpan Age = TimeSpan.FromDays(7);

    /// <summary>Writes a file of so many rows.</summary>
    public static async Task WriteAsync(string path, bool isCsv, long rows, TimeProvider clock)
    {
        var random = new Random(Seed);
        var start = clock.GetUtcNow() - Age;
        await using var file = new StreamWriter(path, append: false, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), bufferSize: 1 << 20);
        if (isCsv)
            await file.WriteAsync("idempotencyKey,metric,customerRef,quantity,ts,meta\n");
        for (var row = 0L; row < rows; row++)
            await file.WriteAsync(Row(isCsv, random, start.AddMilliseconds(row)));
    }

    private static string Row(bool isCsv, Random random, DateTimeOffset time)
    {
        var (customer, metric) = Workload.SeriesAt(random.Next(3_000));
        var key = FormattableString.Invariant($"{random.NextInt64():x16}-{random.NextInt64():x16}");
        var note = Convert.ToBase64String(Bytes(random, NoteLength * 3 / 4));
        var ts = time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        return isCsv
            ? $"{key},{metric},{customer},{random.Next(1, 5_000)}.25,{ts},\"{{\"\"note\"\":\"\"{note}\"\"}}\"\n"
            : $$"""{"idempotencyKey":"{{key}}","metric":"{{metric}}","customerRef":"{{customer}}","quantity":{{random.Next(1, 5_000)}}.25,"ts":"{{ts}}","meta":{"note":"{{note}}"} }""" + "\n";
    }

    private static byte[] Bytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }
}
