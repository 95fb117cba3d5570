using System.Diagnostics;
using System.Globalization;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.Storage.Sqlite;

namespace StripeMeter.Storage.Tests.Sqlite;

/// <summary>
/// A process that appends batch after batch to the files in a folder, and prints the number of a batch and how many of its
/// records were new once it is acknowledged.
/// </summary>
internal sealed class LedgerWriter : IDisposable
{
    public const string Command = "append-to-ledger";
    public const int BatchRecords = 20;

    /// <summary>Few enough for every read of a test.</summary>
    public const int MaximumBatches = 2_000;

    private static readonly string Program = Path.Combine(
        AppContext.BaseDirectory, typeof(LedgerWriter).Assembly.GetName().Name + (OperatingSystem.IsWindows() ? ".exe" : ""));

    private readonly Process _process;

    public LedgerWriter(string folder, int firstBatch, int batches)
    {
        string[] arguments =
        [
            Command, folder, firstBatch.ToString(CultureInfo.InvariantCulture), batches.ToString(CultureInfo.InvariantCulture),
        ];
        _process = Process.Start(new ProcessStartInfo(Program, arguments) { RedirectStandardOutput = true })!;
    }

    public static TenantId Tenant => new("acme");

    /// <summary>The shard of the customer all records are of.</summary>
    public static int Shard => Shards.Of("cus_1", Shards.DefaultCount);

    /// <summary>The next acknowledged batch; null after the last.</summary>
    public async Task<(int Number, int New)?> ReadAsync(CancellationToken cancellation)
    {
        // A line that was cut off by the end of the process was not said.
        var line = await _process.StandardOutput.ReadLineAsync(cancellation);
        return line?.Split(' ') is [var number, var appended, "."]
            ? (int.Parse(number, CultureInfo.InvariantCulture), int.Parse(appended, CultureInfo.InvariantCulture))
            : null;
    }

    public void Kill() => _process.Kill();

    public async Task<int> ExitAsync(CancellationToken cancellation)
    {
        await _process.WaitForExitAsync(cancellation);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        _process.Kill();
        _process.Dispose();
    }

    public static LedgerRecord[] Batch(int number) =>
    [
        .. Enumerable.Range(number * BatchRecords, BatchRecords).Select(index =>
        {
            var usage = new UsageEvent("calls", "cus_1", "", Quantity.FromInteger(index + 1), new Instant(index), "", EventSource.System);
            return LedgerRecord.OfEvent($"k{index}", Fingerprint.Of(usage), usage, new Instant(index), late: false);
        }),
    ];

    public static async Task<int> RunAsync(string[] arguments)
    {
        var (first, count) = (int.Parse(arguments[1], CultureInfo.InvariantCulture), int.Parse(arguments[2], CultureInfo.InvariantCulture));
        await using var store = new SqliteMeterStore(arguments[0]);
        var ledger = store.Of(Tenant).Ledger;
        foreach (var number in Enumerable.Range(first, count))
        {
            var outcomes = await ledger.AppendAsync(Shard, Batch(number), CancellationToken.None);
            Console.WriteLine($"{number} {outcomes.Count(outcome => outcome.Appended)} .");
        }

        return 0;
    }
}
