using System.Net;
using Grpc.AspNetCore.Server.Model;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;
using StripeMeter.LocalDapr.Api;
using StripeMeter.LocalDapr.Invocation;
using Yarp.ReverseProxy.Forwarder;

namespace StripeMeter.LocalDapr;

/// <summary>The two ports of a sidecar: HTTP/1.1 and HTTP/2 with prior knowledge. Both serve the whole API, as the requests of
/// one never look like those of the other.</summary>
internal sealed class SidecarServer : IAsyncDisposable
{
    /// <summary>Calls at the same time on one HTTP/2 connection; a client of gRPC opens just one.</summary>
    private const int StreamsPerConnection = 1000;

    private readonly WebApplication _application;

    public SidecarServer(Sidecar sidecar, string peerToken)
    {
        var options = sidecar.Group.Options;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Configure(kestrel, sidecar.App));
        builder.Services.AddSingleton(options.LoggerFactory);
        builder.Services.AddRoutingCore();
        builder.Services.AddHttpForwarder();
        builder.Services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = sidecar.App.MaximumBodyBytes;
            grpc.MaxSendMessageSize = sidecar.App.MaximumBodyBytes;
            // What is unknown here belongs to an app.
            grpc.IgnoreUnknownServices = true;
        });
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IServiceMethodProvider<DaprGrpc>, DaprGrpcBinding>());
        builder.Services.AddSingleton(sidecar);
        builder.Services.AddSingleton(new PublishApi(sidecar, sidecar.Group.Broker, options));
        builder.Services.AddSingleton(new MetadataApi(sidecar));
        builder.Services.AddSingleton<DaprGrpc>();
        _application = builder.Build();
        Map(sidecar, peerToken);
    }

    public int HttpPort { get; private set; }

    public int GrpcPort { get; private set; }

    private static void Configure(KestrelServerOptions kestrel, LocalDaprApp app)
    {
        kestrel.AddServerHeader = false;
        // Streams that pass through may be endless; bodies meant for the sidecar are measured where they are read.
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MinResponseDataRate = null;
        kestrel.Limits.Http2.MaxStreamsPerConnection = StreamsPerConnection;
        kestrel.Limits.Http2.InitialConnectionWindowSize = 4 * 1024 * 1024;
        kestrel.Limits.Http2.InitialStreamWindowSize = 1024 * 1024;
        foreach (var address in app.ListenAddresses)
            kestrel.Listen(IPAddress.Parse(address), app.DaprHttpPort, static listen => listen.Protocols = HttpProtocols.Http1);
        foreach (var address in app.ListenAddresses)
            kestrel.Listen(IPAddress.Parse(address), app.DaprGrpcPort, static listen => listen.Protocols = HttpProtocols.Http2);
    }

    private void Map(Sidecar sidecar, string peerToken)
    {
        var options = sidecar.Group.Options;
        var gate = new Gate(options.DaprApiToken, peerToken, sidecar.App.MaximumHeaderBytes, options.Strict);
        _application.Use(next => context => gate.PassAsync(context, next));
        _application.UseRouting();
        new ActorApi(sidecar, sidecar.Group.State, sidecar.Group.Faults, options).Map(_application);
        _application.Services.GetRequiredService<PublishApi>().Map(_application);
        _application.Services.GetRequiredService<MetadataApi>().Map(_application);
        _application.MapGrpcService<DaprGrpc>();
        new ServiceInvoker(sidecar, sidecar.Group.Peers, _application.Services.GetRequiredService<IHttpForwarder>()).Map(_application);
        _application.UseEndpoints(static _ => { });
    }

    /// <exception cref="IOException">A port is taken; the message names the address.</exception>
    public async Task StartAsync(CancellationToken cancellation)
    {
        await _application.StartAsync(cancellation).ConfigureAwait(false);
        // In the order in which they were configured: first all of HTTP, then all of gRPC.
        var addresses = _application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.ToList();
        HttpPort = new Uri(addresses[0]).Port;
        GrpcPort = new Uri(addresses[addresses.Count / 2]).Port;
    }

    public async ValueTask DisposeAsync()
    {
        using var atOnce = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await _application.StopAsync(atOnce.Token).ConfigureAwait(false);
        await _application.DisposeAsync().ConfigureAwait(false);
    }
}
