using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using StripeMeter.Bench.Backfilling;
using StripeMeter.Bench.Overloading;
using StripeMeter.Bench.Pricing;
using StripeMeter.Bench.Pushing;
using StripeMeter.Bench.Repairing;

namespace StripeMeter.Bench;

/// <summary>Runs every load once on a fresh system and writes the report.</summary>
internal sealed class Benchmark(TimeProvider clock)
{
    /// <summary>Parts of the report, in their order.</summary>
    public static readonly string[] Parts = ["engine", "series", "pricing", "embedded", "apart", "access", "overload", "repairs", "backfill", "pushes", "memory"];

    /// <summary>What Stripe takes of one account in live mode by default, all calls together.</summary>
    private const int PushesPerSecond = 100;

    /// <summary>A full file of a backfill.</summary>
    private const long BackfillBytes = 1_000_000_000;

    /// <summary>Times that each system is measured, where two are compared.</summary>
    private const int AccessRounds = 2;

    private readonly StringBuilder _report = new();
    private readonly Dictionary<int, long> _engine = [];

    /// <param name="percent">Size of each load in percent.</param>
    /// <param name="soakEvents">Events of the memory run; 0 leaves it out.</param>
    /// <param name="only">The one of <see cref="Parts"/> to be measured; null: all.</param>
    /// <param name="arguments">Shown in the report.</param>
    public async Task<string> RunAsync(int percent, long soakEvents, string? only, string arguments)
    {
        Line("# Benchmark");
        Line();
        Line($"`dotnet run -c Release --project bench{(arguments.Length > 0 ? " -- " + arguments : "")}` on {Environment.ProcessorCount} cores, "
            + $"{RuntimeInformation.OSDescription}, .NET {Environment.Version}, load generator on the same cores.");
        Line();
        foreach (var part in Parts.Where(part => only is null || part == only))
            await MeasureAsync(part, percent, soakEvents);
        return _report.ToString();
    }

    private Task MeasureAsync(string part, int percent, long soakEvents)
    {
        Console.WriteLine(part);
        return part switch
        {
            "engine" => MeasureEngineAsync(percent),
            "series" => MeasureSeriesAsync(percent),
            "pricing" => Task.Run(() => MeasurePricing(percent)),
            "embedded" => MeasureSystemAsync("The embedded system", time => SystemUnderTest.StartEmbeddedAsync(time), percent),
            "apart" => MeasureSystemAsync("Separate processes", SystemUnderTest.StartApartAsync, percent),
            "access" => MeasureAccessAsync(percent),
            "overload" => MeasureOverloadAsync(percent),
            "repairs" => MeasureRepairsAsync(percent),
            "backfill" => MeasureBackfillAsync(percent),
            "pushes" => MeasurePushesAsync(percent),
            _ => soakEvents > 0 ? SoakAsync(soakEvents) : Task.CompletedTask,
        };
    }

    private async Task MeasureEngineAsync(int percent)
    {
        Line("## The raw engine");
        Line();
        Line("The SQLite engine alone: durable, deduplicated appends, no services, no counting.");
        Line();
        Line("| events of a batch | callers | events/s |");
        Line("| --- | --- | --- |");
        foreach (var (batch, callers, events) in new[] { (500, 8, 400_000), (100, 16, 400_000), (1, 64, 60_000) })
        {
            _engine[batch] = await RawEngine.MeasureAsync(events * (long)percent / 100, batch, callers, clock);
            Line($"| {batch} | {callers} | {Number(_engine[batch])} |");
        }

        Line();
    }

    private void MeasurePricing(int percent)
    {
        var invoice = PricingBench.MeasureInvoice(200 * percent, clock);
        var whatIf = PricingBench.MeasureWhatIf(100_000, clock);
        Line("## Pricing");
        Line();
        Line("Exact and explained, beside a loop of plain decimals that does neither, on one core.");
        Line();
        Line("| work | time | naive loop |");
        Line("| --- | --- | --- |");
        Line($"| an invoice of 10 lines, 3 tiers each | {Microseconds(invoice.Invoice)} | {Microseconds(invoice.Naive)} |");
        Line($"| what-if over 100,000 customers, 3 metrics each | {Milliseconds(whatIf.Compared)} | {Milliseconds(whatIf.Naive)} |");
        Line();
    }

    private async Task MeasureSeriesAsync(int percent)
    {
        var events = 400_000L * percent / 100;
        Line("## Reading by customer, metric and time");
        Line();
        Line("Listing, recounting and explaining read one series. Its entries are written in bulk behind the records, and cost this much of the appends:");
        Line();
        Line("| entries | events/s | of those without |");
        Line("| --- | --- | --- |");
        var without = await RawEngine.MeasureSeriesAsync(int.MaxValue, events, clock);
        SeriesRow("none", without, without);
        SeriesRow("in bulk (as it is)", await RawEngine.MeasureSeriesAsync(null, events, clock), without);
        SeriesRow("at once with each record", await RawEngine.MeasureSeriesAsync(1, events, clock), without);
        Line();
        var read = await RawEngine.MeasureReadAsync(events, page: 100, reads: 300, clock);
        Line($"A page of the 100 newest events of one customer and metric, among {Number(events)}: {Milliseconds(read, "F1")}.");
        Line();
    }

    private void SeriesRow(string entries, long eventsPerSecond, long without) =>
        Line($"| {entries} | {Number(eventsPerSecond)} | {100 * eventsPerSecond / without} % |");

    private async Task MeasureSystemAsync(string name, Func<TimeProvider, Task<SystemUnderTest>> start, int percent)
    {
        await using var system = await start(clock);
        using var scenarios = new Scenarios(system, clock);
        var first = await scenarios.FirstEventAsync();
        Line($"## {name}");
        Line();
        Line($"Ready {Seconds(system.StartTime)} after its start; the first event was acknowledged {Milliseconds(first)} later. "
            + "Counted means visible in the projected counters; its latency runs from the acknowledgement. "
            + "Cores and memory are those of all its processes; what they share counts in each.");
        Line();
        Line("| load | events | acked/s | of the engine | counted/s | ack p50 | ack p99 | counted p50 | counted p99 | cores used | peak memory |");
        Line("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        await scenarios.GrpcAsync("warm-up", 50_000, 500, 4);
        Row(await scenarios.GrpcAsync("gRPC 500", 1_000_000L * percent / 100, 500, 4), _engine.GetValueOrDefault(500));
        Row(await scenarios.RestAsync("REST 100", 300_000L * percent / 100, 100, 8), _engine.GetValueOrDefault(100));
        Row(await scenarios.GrpcAsync("gRPC 1", 60_000L * percent / 100, 1, 64), _engine.GetValueOrDefault(1));
        Row(await scenarios.RestAsync("REST 1", 60_000L * percent / 100, 1, 64), _engine.GetValueOrDefault(1));
        Line();
    }

    private async Task MeasureAccessAsync(int percent)
    {
        Line("## Asking who calls");
        Line();
        Line("The same loads on the embedded system without keys, and with keys, tenants held apart and limits counted: rounds of both, one after the other, and the better one of each.");
        Line();
        Line("| load | acked/s without | acked/s with | of that without |");
        Line("| --- | --- | --- | --- |");
        var (open, guarded) = (new Dictionary<string, long>(), new Dictionary<string, long>());
        for (var round = 0; round < AccessRounds; round++)
        {
            await MeasureAccessAsync(open, isGuarded: false, percent);
            await MeasureAccessAsync(guarded, isGuarded: true, percent);
        }

        foreach (var (name, without) in open)
            Line($"| {name} | {Number(without)} | {Number(guarded[name])} | {100 * guarded[name] / without} % |");
        Line();
    }

    private async Task MeasureAccessAsync(Dictionary<string, long> best, bool isGuarded, int percent)
    {
        await using var system = await SystemUnderTest.StartEmbeddedAsync(clock, isGuarded ? BenchKeys.Settings : []);
        using var scenarios = new Scenarios(system, clock, isGuarded ? new BenchKeys(system.DataDirectory, clock) : null);
        await scenarios.GrpcAsync("warm-up", 50_000, 500, 4);
        LoadResult[] results =
        [
            await scenarios.GrpcAsync("gRPC 500", 400_000L * percent / 100, 500, 4), await scenarios.RestAsync("REST 100", 200_000L * percent / 100, 100, 8),
            await scenarios.GrpcAsync("gRPC 1", 60_000L * percent / 100, 1, 64), await scenarios.RestAsync("REST 1", 60_000L * percent / 100, 1, 64),
        ];
        foreach (var result in results)
            best[result.Name] = Math.Max(best.GetValueOrDefault(result.Name), result.AcknowledgedPerSecond);
    }

    private async Task MeasureOverloadAsync(int percent)
    {
        var duration = TimeSpan.FromSeconds(Math.Max(5, 60 * percent / 100));
        await using var system = await SystemUnderTest.StartEmbeddedAsync(clock);
        using var bench = new OverloadBench(system, clock);
        var result = await bench.RunAsync(duration);
        Line("## Overload");
        Line();
        Line($"REST requests of {OverloadBench.EventsOfARequest} events leave by the clock: at half of the capacity, which is {Number(result.Capacity)} requests a second "
            + $"by a few callers, then for {Seconds(duration)} at ten times of it. Refused is answered 503 with Retry-After.");
        Line();
        Line("| requests | offered/s | accepted | refused | accepted p50 | accepted p99 | peak memory |");
        Line("| --- | --- | --- | --- | --- | --- | --- |");
        Row("half", result.Normal, duration / 2);
        Row("ten times", result.Overload, duration);
        Line();
        var ratio = (decimal)result.Overload.Accepted.GetValueAtPercentile(99) / Math.Max(1, result.Normal.Accepted.GetValueAtPercentile(99));
        Line($"Accepted p99 is {ratio.ToString("F1", CultureInfo.InvariantCulture)} times the normal one. Quick again {Seconds(result.Recovery)} after the overload. "
            + $"{Number(result.Acknowledged)} events were acknowledged, {Number(result.Counted)} were counted.");
        Line();

        void Row(string name, Stretch stretch, TimeSpan time) => Line(
            $"| {name} | {Number((long)(stretch.Offered / time.TotalSeconds))} | {Number(stretch.Accepted.TotalCount)} | {Number(stretch.Refused)} "
            + $"| {Percentile(stretch.Accepted, 50)} | {Percentile(stretch.Accepted, 99)} | {Megabytes(stretch.PeakBytes)} |");
    }

    private async Task MeasureRepairsAsync(int percent)
    {
        await using var system = await SystemUnderTest.StartEmbeddedAsync(clock);
        using var repairs = new RepairBench(system, clock);
        Line("## Counting once, for ever");
        Line();
        var replay = await repairs.ReplayAsync(10_000);
        Line($"{Number(replay.LateEvents)} late events approved by one replay: {Milliseconds(replay.Approved)} until the last page was answered, "
            + $"{Milliseconds(replay.Counted)} until all were in their counters.");
        Line();
        var checks = await repairs.ChecksAsync(200_000L * percent / 100);
        Line("What the checks cost, over gRPC in batches of 500. Troubled: every customer has an anchor and an adjustment, half of these are reverted, "
            + "1 % of the events come late, and 0.5 % under a key that another has.");
        Line();
        Line("| tenant | counted/s | of the plain |");
        Line("| --- | --- | --- |");
        Line($"| plain | {Number(checks.Plain)} | 100 % |");
        Line($"| troubled | {Number(checks.Checked)} | {100 * checks.Checked / checks.Plain} % |");
        Line();
        Line("What an event costs in a counter that has many already: one metric of one customer, so one shard.");
        Line();
        Line("| events in the counter | counted/s | processor time an event | counted p99 |");
        Line("| --- | --- | --- | --- |");
        long[] sizes = [1_000, 1_000_000L * percent / 100, 5_000_000L * percent / 100];
        foreach (var (before, load) in await repairs.GrowAsync(sizes, 100_000L * percent / 100))
        {
            Line($"| {Number(before)} | {Number(load.CountedPerSecond)} | {Microseconds(load.ProcessorTime / load.Events)} "
                + $"| {Percentile(load.CountedMicroseconds, 99)} |");
        }

        Line();
    }

    private async Task MeasureBackfillAsync(int percent)
    {
        Line("## Backfilling a file");
        Line();
        Line("A file as the body of one request to the embedded system, fresh for each: rows of 2 kB with random keys. Uploaded: all of it waits "
            + "durably. Appended: all of it is in the ledger. Idle is what the process holds once it is ready, before it has served anything.");
        Line();
        Line("| file | rows | uploaded/s | appended/s | resident idle | peak of the upload | peak | growth |");
        Line("| --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (var isCsv in new[] { true, false })
        {
            await using var system = await SystemUnderTest.StartEmbeddedAsync(clock);
            using var bench = new BackfillBench(system, clock);
            var result = await bench.RunAsync(isCsv, BackfillBytes / BackfillFile.RowBytes * percent / 100);
            Line($"| {Megabytes(result.Bytes)} of {(isCsv ? "CSV" : "JSON Lines")} | {Number(result.Rows)} | {PerSecond(result.Rows, result.Uploaded)} "
                + $"| {PerSecond(result.Rows, result.Completed - result.Uploaded)} | {Megabytes(result.IdleBytes)} | {Megabytes(result.UploadPeakBytes)} "
                + $"| {Megabytes(result.PeakBytes)} | {Megabytes(result.PeakBytes - result.IdleBytes)} |");
        }

        Line();
    }

    private async Task MeasurePushesAsync(int percent)
    {
        var customers = Math.Max(10, 10_000 * percent / 100);
        await using var system = await SystemUnderTest.StartEmbeddedAsync(clock, ("STRIPE_RATE_PER_SECOND", Text(PushesPerSecond)));
        using var pushes = new PushBench(system, clock);
        Line("## Pushing");
        Line();
        Line($"{Number(customers)} customers with a changed counter, all behind at once, pushed to the Stripe double at the rate of an account: "
            + $"{PushesPerSecond} calls a second. Each push is one call.");
        Line();
        Line("| pushed | after | pushes/s | resident then |");
        Line("| --- | --- | --- | --- |");
        foreach (var sample in await pushes.PushAsync(customers))
            Line($"| {Number(sample.Pushed)} | {Seconds(sample.After)} | {(sample.Pushed / sample.After.TotalSeconds).ToString("F1", CultureInfo.InvariantCulture)} | {Megabytes(sample.ResidentBytes)} |");
        Line();
    }

    private async Task SoakAsync(long events)
    {
        await using var system = await SystemUnderTest.StartEmbeddedAsync(clock);
        using var scenarios = new Scenarios(system, clock);
        Line("## Memory");
        Line();
        Line("The same process takes events in tenths; memory is what it holds resident after each.");
        Line();
        Line("| events so far | acked/s | resident after |");
        Line("| --- | --- | --- |");
        for (var part = 1; part <= 10; part++)
        {
            var result = await scenarios.GrpcAsync($"soak-{part}", events / 10, 500, 4);
            Line($"| {Number(events / 10 * part)} | {Number(result.AcknowledgedPerSecond)} | {Megabytes(system.ResidentBytes())} |");
            Console.WriteLine($"  {part}0 %");
        }

        Line();
    }

    private void Row(LoadResult result, long engine)
    {
        Console.WriteLine($"  {result.Name}: {result.AcknowledgedPerSecond:N0} acked/s, {result.CountedPerSecond:N0} counted/s");
        var (ack, lag) = (result.AckMicroseconds, result.CountedMicroseconds);
        var ratio = engine == 0 ? "–" : (100 * result.AcknowledgedPerSecond / engine).ToString(CultureInfo.InvariantCulture) + " %";
        var cores = (result.ProcessorTime / result.Counted).ToString("F2", CultureInfo.InvariantCulture);
        Line($"| {result.Name} | {Number(result.Events)} | {Number(result.AcknowledgedPerSecond)} | {ratio} | {Number(result.CountedPerSecond)} "
            + $"| {Percentile(ack, 50)} | {Percentile(ack, 99)} | {Percentile(lag, 50)} | {Percentile(lag, 99)} | {cores} | {Megabytes(result.PeakBytes)} |");
    }

    private void Line(string text = "") => _report.Append(text).Append('\n');

    private static string Percentile(HdrHistogram.HistogramBase histogram, int percentile) =>
        (histogram.GetValueAtPercentile(percentile) / 1000m).ToString("F1", CultureInfo.InvariantCulture) + " ms";

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string PerSecond(long count, TimeSpan time) => Number((long)(count / time.TotalSeconds));

    private static string Megabytes(long bytes) => Number(bytes / 1_000_000) + " MB";

    private static string Seconds(TimeSpan span) => span.TotalSeconds.ToString("F1", CultureInfo.InvariantCulture) + " s";

    private static string Microseconds(TimeSpan span) => span.TotalMicroseconds.ToString("F1", CultureInfo.InvariantCulture) + " µs";

    private static string Milliseconds(TimeSpan span, string format = "F0") =>
        span.TotalMilliseconds.ToString(format, CultureInfo.InvariantCulture) + " ms";
}
