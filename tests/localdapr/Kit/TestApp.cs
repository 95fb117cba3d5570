using System.Net;
using Dapr.Actors.Client;
using Dapr.Actors.Runtime;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StripeMeter.Kits.Network;

namespace StripeMeter.LocalDapr.Tests.Kit;

/// <summary>What an app is made of.</summary>
internal sealed class TestAppBuilder
{
    public Action<ActorRuntimeOptions>? Actors { get; set; }

    public Action<IServiceCollection>? Services { get; set; }

    public Action<WebApplication>? Endpoints { get; set; }

    public int Port { get; set; } = FreePort.Take();

    public bool UseJsonSerialization { get; set; }
}

/// <summary>An app as our services are: the official SDK on one port of its own.</summary>
internal sealed class TestApp : IAsyncDisposable
{
    private readonly WebApplication _application;

    private TestApp(LocalDaprSidecar sidecar, WebApplication application, int port)
    {
        AppId = sidecar.AppId;
        SidecarEndpoint = sidecar.HttpEndpoint;
        _application = application;
        Port = port;
    }

    public string AppId { get; }

    public string SidecarEndpoint { get; }

    public int Port { get; }

    public bool IsRunning { get; private set; } = true;

    public IServiceProvider Services => _application.Services;

    public IActorProxyFactory Proxies => Services.GetRequiredService<IActorProxyFactory>();

    public static async Task<TestApp> StartAsync(LocalDaprSidecar sidecar, AppProtocol protocol, string? apiToken,
        Action<TestAppBuilder> build)
    {
        var description = new TestAppBuilder();
        build(description);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["DAPR_HTTP_ENDPOINT"] = sidecar.HttpEndpoint,
            ["DAPR_GRPC_ENDPOINT"] = sidecar.GrpcEndpoint,
            ["DAPR_API_TOKEN"] = apiToken,
        });
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, description.Port, listen =>
            listen.Protocols = protocol == AppProtocol.Http ? HttpProtocols.Http1 : HttpProtocols.Http2));
        builder.Services.AddDaprClient();
        if (description.Actors is { } actors)
        {
            builder.Services.AddActors(options =>
            {
                options.UseJsonSerialization = description.UseJsonSerialization;
                actors(options);
            });
        }

        description.Services?.Invoke(builder.Services);
        var application = builder.Build();
        if (description.Actors is not null)
            application.MapActorsHandlers();
        description.Endpoints?.Invoke(application);
        await application.StartAsync();
        var address = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        return new TestApp(sidecar, application, new Uri(address).Port);
    }

    public async ValueTask DisposeAsync()
    {
        if (!IsRunning)
            return;
        IsRunning = false;
        await _application.DisposeAsync();
    }
}
