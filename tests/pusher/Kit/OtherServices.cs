using System.Collections.Concurrent;
using System.Net;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StripeMeter.V1;

namespace StripeMeter.Pusher.Tests.Kit;

/// <summary>Stands where the sidecar and the services behind it are, and keeps what they were asked for.</summary>
internal sealed class OtherServices : IAsyncDisposable
{
    private readonly WebApplication _app;

    private OtherServices(WebApplication app) => _app = app;

    public ConcurrentQueue<ChangeAnchorRequest> Anchors { get; } = [];

    public ConcurrentQueue<RefreshPriceRequest> Prices { get; } = [];

    public (string Name, string Value) Setting =>
        ("DAPR_GRPC_ENDPOINT", _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    public static async Task<OtherServices> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        OtherServices? services = null;
        builder.Services.AddSingleton(_ => services!);
        var app = builder.Build();
        services = new OtherServices(app);
        app.MapGrpcService<AnchorFace>();
        app.MapGrpcService<PricingFace>();
        await app.StartAsync();
        return services;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private sealed class AnchorFace(OtherServices services) : AnchorService.AnchorServiceBase
    {
        public override Task<ChangeAnchorResponse> ChangeAnchor(ChangeAnchorRequest request, ServerCallContext context)
        {
            services.Anchors.Enqueue(request);
            return Task.FromResult(new ChangeAnchorResponse());
        }

        public override Task<ListAnchorsResponse> ListAnchors(ListAnchorsRequest request, ServerCallContext context)
        {
            var response = new ListAnchorsResponse();
            response.Changes.AddRange(services.Anchors.Where(change => (change.TenantId, change.CustomerRef) == (request.TenantId, request.CustomerRef))
                .Select(change => new AnchorChange { ChangeId = change.ChangeId, Anchor = change.Anchor }));
            return Task.FromResult(response);
        }
    }

    private sealed class PricingFace(OtherServices services) : PricingService.PricingServiceBase
    {
        public override Task<RefreshPriceResponse> RefreshPrice(RefreshPriceRequest request, ServerCallContext context)
        {
            services.Prices.Enqueue(request);
            return Task.FromResult(new RefreshPriceResponse());
        }
    }
}
