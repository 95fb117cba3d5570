using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;

namespace StripeMeter.Bench.Backfilling;

/// <summary>What bringing in one file cost.</summary>
/// <param name="Rows">Its events.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Uploaded">Until all of it waited durably and it was decided that it counts.</param>
/// <param name="Completed">Until all of it was appended.</param>
/// <param name="IdleBytes">Resident before.</param>
/// <param name="UploadPeakBytes">Resident at most while it was uploaded.</param>
/// <param name="PeakBytes">Resident at most, all along.</param>
internal sealed record BackfillResult(
    long Rows, long Bytes, TimeSpan Uploaded, TimeSpan Completed, long IdleBytes, long UploadPeakBytes, long PeakBytes);

/// <summary>Sends a file as the body of one request, and watches the memory of the system until all of it is appended.</summary>
internal sealed class BackfillBench(SystemUnderTest system, TimeProvider clock) : IDisposable
{
    private const string Tenant = "bench-backfill";
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(30);
    private readonly HttpClient _rest = new() { BaseAddress = system.Rest, Timeout = Patience };
    private long _peakBytes;

    public void Dispose() => _rest.Dispose();

    public async Task<BackfillResult> RunAsync(bool isCsv, long rows)
    {
        var path = Path.Combine(system.DataDirectory, isCsv ? "backfill.csv" : "backfill.jsonl");
        await BackfillFile.WriteAsync(path, isCsv, rows, clock);
        var idle = system.ResidentBytes();
        using var stop = new CancellationTokenSource();
        var watch = WatchAsync(stop.Token);
        var started = clock.GetTimestamp();
        var id = await UploadAsync(path, isCsv ? "text/csv" : "application/x-ndjson");
        var (uploaded, uploadPeak) = (clock.GetElapsedTime(started), Interlocked.Read(ref _peakBytes));
        await CompleteAsync(id, rows, started);
        var completed = clock.GetElapsedTime(started);
        await stop.CancelAsync();
        await watch;
        var result = new BackfillResult(rows, new FileInfo(path).Length, uploaded, completed, idle, uploadPeak, _peakBytes);
        File.Delete(path);
        return result;
    }

    private async Task<string> UploadAsync(string path, string type)
    {
        await using var file = File.OpenRead(path);
        using var content = new StreamContent(file) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };
        using var response = await _rest.PostAsync(new Uri($"/v1/events/backfill?tenantId={Tenant}&reason=bench", UriKind.Relative), content);
        var answer = await response.Content.ReadAsStringAsync();
        if (!response.IsSuccessStatusCode)
            throw new InvalidOperationException(answer);
        return (string)JsonNode.Parse(answer)!["operationId"]!;
    }

    private async Task CompleteAsync(string id, long rows, long started)
    {
        while (clock.GetElapsedTime(started) < Patience)
        {
            var answer = JsonNode.Parse(await _rest.GetStringAsync(new Uri($"/v1/events/backfill/{id}?tenantId={Tenant}", UriKind.Relative)))!;
            if ((string?)answer["status"] == "completed")
            {
                if ((long)answer["acceptedEvents"]! != rows)
                    throw new UnreachableException($"{answer["acceptedEvents"]} of {rows} rows were appended.");
                return;
            }

            await Task.Delay(Poll, clock);
        }

        throw new TimeoutException("The backfill did not come to its end.");
    }

    private async Task WatchAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            Interlocked.Exchange(ref _peakBytes, Math.Max(Interlocked.Read(ref _peakBytes), system.ResidentBytes()));
            await Task.Delay(Poll, clock, CancellationToken.None);
        }
    }
}
