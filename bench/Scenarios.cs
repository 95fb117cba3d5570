using System.Net.Http.Headers;
using System.Text;
using Grpc.Core;
using Grpc.Net.Client;
using StripeMeter.V1;

namespace StripeMeter.Bench;

/// <summary>The loads that are measured. Each has a tenant of its own.</summary>
/// <param name="system">What is measured.</param>
/// <param name="clock">Measures.</param>
/// <param name="keys">Makes a key for each tenant; null for a system that asks for none.</param>
internal sealed class Scenarios(SystemUnderTest system, TimeProvider clock, BenchKeys? keys = null) : IDisposable
{
    private const int Seed = 20_260_101;
    private readonly GrpcChannel _channel = GrpcChannel.ForAddress(system.Grpc, new GrpcChannelOptions
    {
        HttpHandler = new SocketsHttpHandler { EnableMultipleHttp2Connections = true },
    });
    private readonly HttpClient _rest = new() { BaseAddress = system.Rest };
    private Metadata? _key;

    public void Dispose()
    {
        _channel.Dispose();
        _rest.Dispose();
    }

    public async Task<LoadResult> GrpcAsync(string name, long events, int batch, int callers)
    {
        var workload = new Workload(TenantOf(name), Seed, clock);
        await UseKeyAsync(workload.Tenant);
        var client = new IngestService.IngestServiceClient(_channel);
        return await RunOf(workload).RunAsync(name, events, batch, callers, async size =>
        {
            var response = await client.IngestEventsAsync(workload.NextRequest(size), _key);
            Demand((int)response.AcceptedCount, size);
            return size;
        });
    }

    public async Task<LoadResult> RestAsync(string name, long events, int batch, int callers)
    {
        var workload = new Workload(TenantOf(name), Seed, clock);
        await UseKeyAsync(workload.Tenant);
        return await RunOf(workload).RunAsync(name, events, batch, callers, async size =>
        {
            using var body = new StringContent(workload.NextBody(size), Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
            using var response = await _rest.PostAsync(new Uri("/v1/events/ingest", UriKind.Relative), body);
            response.EnsureSuccessStatusCode();
            return size;
        });
    }

    /// <summary>How long the first event takes on a system that has just become ready.</summary>
    public async Task<TimeSpan> FirstEventAsync()
    {
        var workload = new Workload("first", Seed, clock);
        var started = clock.GetTimestamp();
        var response = await new IngestService.IngestServiceClient(_channel).IngestEventsAsync(workload.NextRequest(1));
        Demand((int)response.AcceptedCount, 1);
        return clock.GetElapsedTime(started);
    }

    private async Task UseKeyAsync(string tenant)
    {
        if (keys is null)
            return;
        var key = await keys.MakeAsync(tenant);
        _key = new Metadata { { "authorization", key } };
        _rest.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    private LoadRun RunOf(Workload workload) => new(system, _rest, workload.Tenant, clock);

    private static string TenantOf(string name) => "bench-" + name.Replace(' ', '-').Replace(',', '-');

    private static void Demand(int accepted, int sent)
    {
        if (accepted != sent)
            throw new InvalidOperationException($"{accepted} of {sent} events were accepted.");
    }
}
