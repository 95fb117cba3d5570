using System.Net;
using Grpc.Core;
using Grpc.Health.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StripeMeter.V1;

namespace StripeMeter.Gateway.Tests.Kit;

/// <summary>
/// Stands where the sidecar and the services behind it are: it answers their gRPC contracts by functions that a test
/// sets, and keeps what it was asked. It proves what the gateway says and hears, not what the services do.
/// </summary>
public sealed class Backend : IAsyncDisposable
{
    private readonly WebApplication _app;

    private Backend(WebApplication app)
    {
        _app = app;
        Reset();
    }

    public Func<IngestEventsRequest, IngestEventsResponse> Ingest { get; set; } = null!;

    public Func<ListEventsRequest, ListEventsResponse> ListEvents { get; set; } = null!;

    public Func<GetCurrentUsageRequest, GetCurrentUsageResponse> CurrentUsage { get; set; } = null!;

    public Func<GetUsageHistoryRequest, GetUsageHistoryResponse> History { get; set; } = null!;

    public Func<ListCountersRequest, ListCountersResponse> ListCounters { get; set; } = null!;

    public Func<GetProgressRequest, GetProgressResponse> Progress { get; set; } = null!;

    public Func<ListDeltasRequest, ListDeltasResponse> ListDeltas { get; set; } = null!;

    public Func<ListAdjustmentsRequest, ListAdjustmentsResponse> ListAdjustments { get; set; } = null!;

    public Func<CompareShadowRequest, CompareShadowResponse> CompareShadow { get; set; } = null!;

    /// <summary>What happens right before a mapping is updated.</summary>
    public Action MappingUpdating { get; set; } = null!;

    public Func<ReceiveStripeEventRequest, ReceiveStripeEventResponse> StripeEvent { get; set; } = null!;

    public Func<GetProjectionRequest, GetProjectionResponse> Projection { get; set; } = null!;

    public Func<CheckInvoiceRequest, CheckInvoiceResponse> CheckInvoice { get; set; } = null!;

    public Func<GetBatchRequest, GetBatchResponse> Batch { get; set; } = null!;

    /// <summary>Is told the events that are to wait in a backfill.</summary>
    public Action<StageEventsRequest> Stage { get; set; } = null!;

    /// <summary>What was decided on backfills: the committed rows, or the problem for which one was given up.</summary>
    public List<string> Decided { get; } = [];

    public Dictionary<string, Mapping> Mappings { get; } = [];

    /// <summary>App ids that say that they are not ready.</summary>
    public HashSet<string> NotReady { get; } = [];

    /// <summary>When set, ingest answers only once it is completed.</summary>
    public Task? Hold { get; set; }

    /// <summary>App id of a service that does not answer, but waits until its caller gives up. Null: all answer.</summary>
    public string? Silent { get; set; }

    /// <summary>The calls that a silent service was let go from, with their deadlines.</summary>
    public System.Collections.Concurrent.ConcurrentQueue<(string Method, DateTime Deadline)> GivenUp { get; } = [];

    /// <summary>The app ids that calls named.</summary>
    public List<string> Called { get; } = [];

    public string GrpcEndpoint => AddressAt(0);

    public string HttpEndpoint => AddressAt(1);

    public static async Task<Backend> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
        });
        builder.Services.AddGrpc(grpc => grpc.Interceptors.Add<Silence>());
        Backend? backend = null;
        builder.Services.AddSingleton(_ => backend!);
        var app = builder.Build();
        backend = new Backend(app);
        app.MapGrpcService<IngestFace>();
        app.MapGrpcService<EventFace>();
        app.MapGrpcService<UsageFace>();
        app.MapGrpcService<CounterFace>();
        app.MapGrpcService<MappingFace>();
        app.MapGrpcService<PushFace>();
        app.MapGrpcService<AdjustmentFace>();
        app.MapGrpcService<WebhookFace>();
        app.MapGrpcService<PricingFace>();
        app.MapGrpcService<SimulationFace>();
        app.MapGrpcService<BackfillFace>();
        app.MapGrpcService<HealthFace>();
        app.MapGet("/v1.0/healthz", () => Microsoft.AspNetCore.Http.Results.NoContent());
        await app.StartAsync();
        return backend;
    }

    /// <summary>Forgets what a test before left.</summary>
    public void Reset()
    {
        Ingest = IngestRules.Answer;
        ListEvents = _ => new();
        CurrentUsage = _ => new();
        History = _ => new();
        ListCounters = _ => new();
        Progress = _ => new();
        ListAdjustments = _ => new ListAdjustmentsResponse();
        ListDeltas = _ => new();
        CompareShadow = _ => new();
        MappingUpdating = () => { };
        StripeEvent = _ => new();
        Projection = _ => new();
        CheckInvoice = _ => new();
        Batch = _ => new();
        Stage = _ => { };
        Decided.Clear();
        Mappings.Clear();
        NotReady.Clear();
        Called.Clear();
        Hold = null;
        Silent = null;
        GivenUp.Clear();
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private string AddressAt(int index) =>
        _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.ElementAt(index);

    private T Note<T>(ServerCallContext context, T answer)
    {
        lock (Called)
            Called.Add(context.RequestHeaders.GetValue("dapr-app-id") ?? "");
        return answer;
    }

    /// <summary>Has a service wait for the end of the call in place of answering it.</summary>
    private sealed class Silence(Backend backend) : Grpc.Core.Interceptors.Interceptor
    {
        public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
            TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
        {
            if (backend.Silent is not { } silent || context.RequestHeaders.GetValue("dapr-app-id") != silent)
                return await continuation(request, context);
            var end = new TaskCompletionSource();
            await using var registration = context.CancellationToken.Register(end.SetResult);
            await end.Task;
            backend.GivenUp.Enqueue((context.Method, context.Deadline));
            throw new RpcException(new Status(StatusCode.Cancelled, "Its caller gave up."));
        }
    }

    private sealed class IngestFace(Backend backend) : IngestService.IngestServiceBase
    {
        public override async Task<IngestEventsResponse> IngestEvents(IngestEventsRequest request, ServerCallContext context)
        {
            if (backend.Hold is { } hold)
                await hold.WaitAsync(context.CancellationToken);
            return backend.Note(context, backend.Ingest(request));
        }
    }

    private sealed class EventFace(Backend backend) : EventService.EventServiceBase
    {
        public override Task<ListEventsResponse> ListEvents(ListEventsRequest request, ServerCallContext context) =>
            Task.FromResult(backend.Note(context, backend.ListEvents(request)));
    }

    private sealed class UsageFace(Backend backend) : UsageService.UsageServiceBase
    {
        public override Task<GetCurrentUsageResponse> GetCurrentUsage(GetCurrentUsageRequest request, ServerCallContext context) =>
            Task.FromResult(backend.Note(context, backend.CurrentUsage(request)));

        public override Task<GetUsageHistoryResponse> GetUsageHistory(GetUsageHistoryRequest request, ServerCallContext context) =>
            Task.FromResult(backend.Note(context, backend.History(request)));
    }

    private sealed class CounterFace(Backend backend) : CounterService.CounterServiceBase
    {
        public override Task<ListCountersResponse> ListCounters(ListCountersRequest request, ServerCallContext context) =>
            Task.FromResult(backend.Note(context, backend.ListCounters(request)));

        public override Task<GetProgressResponse> GetProgress(GetProgressRequest request, ServerCallContext context) =>
            Task.FromResult(backend.Note(context, backend.Progress(request)));
    }

    private sealed class PushFace(Backend backend) : PushService.PushServiceBase
    {
        public override Task<ListDeltasResponse> ListDeltas(ListDeltasRequest request, ServerCallContext context) =>
            Task.FromResult(backend.Note(context, backend.ListDeltas(request)));

        public override Task<CompareShadowResponse> CompareShadow(CompareShadowRequest request, ServerCallContext context) =>
            Task.FromResult(backend.Note(context, backend.CompareShadow(request)));
    }

    private sealed class AdjustmentFace(Backend backend) : AdjustmentService.AdjustmentServiceBase
    {
        public override Task<ListAdjustmentsResponse> ListAdjustments(ListAdjustmentsRequest request, ServerCallContext context) =>
            Task.FromResult(backend.Note(context, backend.ListAdjustments(request)));
    }

    private sealed class WebhookFace(Backend backend) : WebhookService.WebhookServiceBase
    {
        public override Task<ReceiveStripeEventResponse> ReceiveStripeEvent(ReceiveStripeEventRequest request, ServerCallContext context) =>
            Task.FromResult(backend.Note(context, backend.StripeEvent(request)));
    }

    private sealed class PricingFace(Backend backend) : PricingService.PricingServiceBase
    {
        public override Task<GetProjectionResponse> GetProjection(GetProjectionRequest request, ServerCallContext context) =>
            Task.FromResult(backend.Note(context, backend.Projection(request)));

        public override Task<CheckInvoiceResponse> CheckInvoice(CheckInvoiceRequest request, ServerCallContext context) =>
            Task.FromResult(backend.Note(context, backend.CheckInvoice(request)));
    }

    private sealed class SimulationFace(Backend backend) : SimulationService.SimulationServiceBase
    {
        public override Task<GetBatchResponse> GetBatch(GetBatchRequest request, ServerCallContext context) =>
            Task.FromResult(backend.Note(context, backend.Batch(request)));
    }

    private sealed class HealthFace(Backend backend) : Grpc.Health.V1.Health.HealthBase
    {
        public override Task<HealthCheckResponse> Check(HealthCheckRequest request, ServerCallContext context)
        {
            var ready = !backend.NotReady.Contains(context.RequestHeaders.GetValue("dapr-app-id") ?? "");
            return Task.FromResult(new HealthCheckResponse
            {
                Status = ready ? HealthCheckResponse.Types.ServingStatus.Serving : HealthCheckResponse.Types.ServingStatus.NotServing,
            });
        }
    }

    private sealed class BackfillFace(Backend backend) : BackfillService.BackfillServiceBase
    {
        public override Task<OpenBackfillResponse> OpenBackfill(OpenBackfillRequest request, ServerCallContext context) =>
            Task.FromResult(backend.Note(context, new OpenBackfillResponse { Backfill = Sample }));

        public override Task<StageEventsResponse> StageEvents(StageEventsRequest request, ServerCallContext context)
        {
            backend.Stage(request);
            return Task.FromResult(backend.Note(context, new StageEventsResponse()));
        }

        public override Task<CommitBackfillResponse> CommitBackfill(CommitBackfillRequest request, ServerCallContext context)
        {
            backend.Decided.Add($"committed {request.RowCount}");
            return Task.FromResult(new CommitBackfillResponse { Backfill = Sample });
        }

        public override Task<RevertBackfillResponse> RevertBackfill(RevertBackfillRequest request, ServerCallContext context)
        {
            backend.Decided.Add($"given up: {request.Problem}");
            return Task.FromResult(new RevertBackfillResponse { Backfill = Sample });
        }

        private static Backfill Sample => new() { Id = "backfill-1", TenantId = "acme" };
    }

    private sealed class MappingFace(Backend backend) : MappingService.MappingServiceBase
    {
        public override Task<ListMappingsResponse> ListMappings(ListMappingsRequest request, ServerCallContext context)
        {
            var page = new ListMappingsResponse();
            var size = request.PageSize == 0 ? 100 : request.PageSize;
            var all = backend.Mappings.Values
                .Where(mapping => mapping.TenantId == request.TenantId
                    && (request.Metric.Length == 0 || mapping.Metric == request.Metric)
                    && (!request.HasActive || mapping.Active == request.Active)
                    && string.CompareOrdinal(mapping.Id, request.PageToken) > 0)
                .OrderBy(mapping => mapping.Id, StringComparer.Ordinal)
                .ToList();
            page.Mappings.AddRange(all.Take(size));
            page.NextPageToken = all.Count > size ? all[size - 1].Id : "";
            return Task.FromResult(backend.Note(context, page));
        }

        public override Task<Mapping> CreateMapping(CreateMappingRequest request, ServerCallContext context)
        {
            var taken = backend.Mappings.Values.Any(mapping =>
                mapping.TenantId == request.Mapping.TenantId && mapping.Metric == request.Mapping.Metric && mapping.Active);
            if (taken)
                throw Defaults.Errors.RpcErrors.AlreadyExists("METRIC_TAKEN", "Another active mapping maps the metric.");
            var created = request.Mapping.Clone();
            created.Id = $"map_{backend.Mappings.Count + 1:D4}";
            backend.Mappings.Add(created.Id, created);
            return Task.FromResult(backend.Note(context, created));
        }

        public override Task<Mapping> GetMapping(GetMappingRequest request, ServerCallContext context) =>
            Task.FromResult(backend.Note(context, Find(request.TenantId, request.Id).Clone()));

        public override Task<Mapping> UpdateMapping(UpdateMappingRequest request, ServerCallContext context)
        {
            backend.MappingUpdating();
            if (!Equals(Find(request.Mapping.TenantId, request.Mapping.Id).UpdatedTime, request.Mapping.UpdatedTime))
                throw new RpcException(new Status(StatusCode.Aborted, "Somebody else changed the mapping meanwhile; try again."));
            backend.Mappings[request.Mapping.Id] = request.Mapping.Clone();
            return Task.FromResult(backend.Note(context, request.Mapping));
        }

        public override Task<DeleteMappingResponse> DeleteMapping(DeleteMappingRequest request, ServerCallContext context)
        {
            backend.Mappings.Remove(Find(request.TenantId, request.Id).Id);
            return Task.FromResult(backend.Note(context, new DeleteMappingResponse()));
        }

        private Mapping Find(string tenant, string id) =>
            backend.Mappings.TryGetValue(id, out var mapping) && mapping.TenantId == tenant
                ? mapping
                : throw Defaults.Errors.RpcErrors.NotFound($"The mapping '{id}'");
    }
}
