using System.Diagnostics;
using Google.Protobuf.WellKnownTypes;
using Grpc.Net.Client;
using StripeMeter.V1;

namespace StripeMeter.Bench.Repairing;

/// <summary>How long it took to count late events after all.</summary>
internal sealed record ReplayResult(long LateEvents, TimeSpan Approved, TimeSpan Counted);

/// <summary>What an event costs when so many are in its counter already.</summary>
internal sealed record GrowthResult(long EventsBefore, LoadResult Load);

/// <summary>The same load on a tenant that has nothing to look for, and on one that has all there is.</summary>
internal sealed record ChecksResult(long Plain, long Checked);

/// <summary>What counting exactly once for ever costs: late events, counters with many events, and the checks beside every event.</summary>
internal sealed class RepairBench : IDisposable
{
    private const int Batch = 500;
    private const int Callers = 4;
    private const int Rounds = 3;
    private const int LateEach = 100;
    private const int ClashEach = 200;
    private static readonly TimeSpan LongAgo = TimeSpan.FromDays(3);
    private static readonly TimeSpan CountPatience = TimeSpan.FromMinutes(2);
    private readonly SystemUnderTest _system;
    private readonly TimeProvider _clock;
    private readonly GrpcChannel _channel;
    private readonly HttpClient _rest;
    private readonly IngestService.IngestServiceClient _ingest;

    public RepairBench(SystemUnderTest system, TimeProvider clock)
    {
        (_system, _clock) = (system, clock);
        _channel = GrpcChannel.ForAddress(system.Grpc);
        _rest = new HttpClient { BaseAddress = system.Rest };
        _ingest = new IngestService.IngestServiceClient(_channel);
    }

    public void Dispose()
    {
        _channel.Dispose();
        _rest.Dispose();
    }

    /// <summary>Sends late events, approves all by a replay, and waits until their counters hold them.</summary>
    public async Task<ReplayResult> ReplayAsync(int lateEvents)
    {
        var workload = new Workload("bench-late", seed: 7, _clock) { Age = LongAgo };
        await RunOf(workload).RunAsync("late", lateEvents, Batch, Callers, size => SendAsync(workload.NextRequest(size)));
        var replays = new ReplayService.ReplayServiceClient(_channel);
        var request = new ReplayRequest
        {
            TenantId = workload.Tenant, Apply = true, PageSize = 1_000, Actor = "bench",
            Since = Timestamp.FromDateTimeOffset(_clock.GetUtcNow() - (2 * LongAgo)), Until = Timestamp.FromDateTimeOffset(_clock.GetUtcNow()),
        };
        var started = _clock.GetTimestamp();
        var approved = 0L;
        do
        {
            var page = await replays.ReplayAsync(request);
            approved += page.AppliedCount;
            request.Cursor = page.Cursor;
        }
        while (request.Cursor.Length > 0);
        var answered = _clock.GetElapsedTime(started);
        if (approved != lateEvents)
            throw new UnreachableException($"{approved} of {lateEvents} late events were approved.");
        while (await CountedAsync(workload.Tenant) < lateEvents && _clock.GetElapsedTime(started) < CountPatience)
            await Task.Delay(TimeSpan.FromMilliseconds(10), _clock);
        return new ReplayResult(approved, answered, _clock.GetElapsedTime(started));
    }

    /// <summary>Fills one counter to each of some sizes and measures a load on it there.</summary>
    public async Task<IReadOnlyList<GrowthResult>> GrowAsync(IReadOnlyList<long> sizes, long load)
    {
        var workload = new Workload("bench-one-counter", seed: 11, _clock) { Customers = 1, MetricCount = 1 };
        var results = new List<GrowthResult>();
        var before = 0L;
        foreach (var size in sizes)
        {
            if (size > before)
                await RunOf(workload).RunAsync("fill", size - before, Batch, Callers, events => SendAsync(workload.NextRequest(events)));
            var measured = await RunOf(workload).RunAsync("one counter", load, Batch, Callers, events => SendAsync(workload.NextRequest(events)));
            results.Add(new GrowthResult(Math.Max(size, before), measured));
            before = Math.Max(size, before) + load;
        }

        return results;
    }

    /// <summary>
    /// Sends the same load to two tenants in turn. One has plain events only. The other's customers have anchors, adjustments
    /// and reverts, and of its events some come late and some under a key that another has.
    /// </summary>
    public async Task<ChecksResult> ChecksAsync(long events)
    {
        var plain = new Workload("bench-plain", seed: 13, _clock);
        var troubled = new Workload("bench-troubled", seed: 13, _clock);
        await RunOf(troubled).RunAsync("first", Batch, Batch, 1, size => SendAsync(Trouble(troubled.NextRequest(size))));
        await PrepareAsync(troubled);
        var (without, with) = (TimeSpan.Zero, TimeSpan.Zero);
        for (var round = 0; round < Rounds; round++)
        {
            without += (await RunOf(plain).RunAsync("plain", events, Batch, Callers, size => SendAsync(plain.NextRequest(size)))).Counted;
            with += (await RunOf(troubled).RunAsync("troubled", events, Batch, Callers, size => SendAsync(Trouble(troubled.NextRequest(size))))).Counted;
        }

        return new ChecksResult((long)(Rounds * events / without.TotalSeconds), (long)(Rounds * events / with.TotalSeconds));
    }

    private async Task PrepareAsync(Workload workload)
    {
        var anchors = new AnchorService.AnchorServiceClient(_channel);
        var adjustments = new AdjustmentService.AdjustmentServiceClient(_channel);
        var now = Timestamp.FromDateTimeOffset(_clock.GetUtcNow());
        for (var index = 0; index < workload.Customers; index++)
        {
            var (customer, metric) = Workload.SeriesAt(index);
            await anchors.ChangeAnchorAsync(new ChangeAnchorRequest
            {
                TenantId = workload.Tenant, CustomerRef = customer, EffectiveTime = now, ChangeId = $"{index}", Actor = "bench",
                Anchor = new BillingAnchor { Day = 1 + (index % 28), Minute = index },
            });
            var created = await adjustments.CreateAdjustmentAsync(new CreateAdjustmentRequest
            {
                TenantId = workload.Tenant, CustomerRef = customer, Metric = metric, PeriodTime = now, Delta = "1.5",
                Reason = AdjustmentReason.Correction, Actor = "bench",
            });
            await adjustments.ApproveAdjustmentAsync(new ApproveAdjustmentRequest { TenantId = workload.Tenant, Id = created.Id, Actor = "bench" });
            if (index % 2 == 0)
                await adjustments.RevertAdjustmentAsync(new RevertAdjustmentRequest { TenantId = workload.Tenant, Id = created.Id, Actor = "bench" });
        }
    }

    /// <summary>Makes some events late, and gives some the key of others.</summary>
    private IngestEventsRequest Trouble(IngestEventsRequest request)
    {
        for (var index = 0; index < request.Events.Count; index += LateEach)
            request.Events[index].Timestamp = Timestamp.FromDateTimeOffset(_clock.GetUtcNow() - LongAgo);
        for (var index = 1; index < request.Events.Count; index += ClashEach)
            request.Events[index].IdempotencyKey = $"clash-{index}";
        return request;
    }

    private LoadRun RunOf(Workload workload) => new(_system, _rest, workload.Tenant, _clock);

    /// <summary>Returns how many events are new.</summary>
    private async Task<int> SendAsync(IngestEventsRequest request) => (int)(await _ingest.IngestEventsAsync(request)).AcceptedCount;

    /// <summary>Events in all counters of a tenant.</summary>
    private async Task<long> CountedAsync(string tenant)
    {
        var counted = 0L;
        var cursor = "";
        do
        {
            var page = System.Text.Json.Nodes.JsonNode.Parse(await _rest.GetStringAsync(
                new Uri($"/v1/counters?tenantId={tenant}&limit=1000&cursor={Uri.EscapeDataString(cursor)}", UriKind.Relative)))!;
            counted += page["counters"]!.AsArray().Sum(counter => (long)counter!["count"]!);
            cursor = (string?)page["nextCursor"] ?? "";
        }
        while (cursor.Length > 0);
        return counted;
    }
}
