using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Configuration;
using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Health;
using StripeMeter.Defaults.Telemetry;

namespace StripeMeter.Defaults.Hosting;

/// <summary>
/// What every service is made of: an HTTP/2 port for gRPC and the sidecar, an HTTP/1.1 port for probes and metrics,
/// gRPC with health, reflection and rich errors, telemetry, and a Dapr client.
/// </summary>
public static class ServiceHost
{
    /// <summary>
    /// Largest request body. Dapr's own limit for what a sidecar passes on is raised to the same in the deployment
    /// files.
    /// </summary>
    public const int MaximumBodyBytes = 16 * 1024 * 1024;

    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(10);

    /// <param name="app">The service.</param>
    /// <param name="args">Command line: <c>--NAME value</c> overrides the environment.</param>
    /// <param name="settings">Overrides both, for services that share a process.</param>
    /// <param name="configureEndpoints">Changes where the service listens, for one whose HTTP/1.1 port is public.</param>
    public static WebApplicationBuilder CreateBuilder(
        AppDefinition app, string[] args, IEnumerable<KeyValuePair<string, string?>>? settings,
        Action<EndpointOptions, IConfiguration>? configureEndpoints = null)
    {
        ArgumentNullException.ThrowIfNull(app);
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = args, ApplicationName = app.Id });
        if (settings is not null)
            builder.Configuration.AddInMemoryCollection(settings);
        var listen = builder.Services.AddSettings<EndpointOptions>(builder.Configuration);
        configureEndpoints?.Invoke(listen, builder.Configuration);
        builder.Services.AddSingleton(app);
        builder.Services.TryAddSingleton(TimeProvider.System);
        ConfigureLogging(builder.Logging, listen);
        ConfigurePorts(builder.WebHost, app, listen);
        builder.Services.Configure<Microsoft.Extensions.Hosting.HostOptions>(options => options.ShutdownTimeout = ShutdownTimeout);
        builder.Services.AddGrpc(options =>
        {
            options.MaxReceiveMessageSize = MaximumBodyBytes;
            options.Interceptors.Add<ErrorInterceptor>();
            options.Interceptors.Add<AccessInterceptor>();
        });
        builder.Services.AddGrpcReflection();
        builder.Services.AddDaprClient();
        builder.AddAccess();
        builder.AddServiceHealth();
        builder.AddServiceTelemetry(app);
        return builder;
    }

    /// <summary>Shuts the door of a service, and maps what every one answers beside its own.</summary>
    public static WebApplication MapDefaults(this WebApplication app)
    {
        app.UseAccess();
        app.UseUnreadableMessages();
        app.MapGrpcReflectionService();
        app.MapServiceHealth();
        app.MapPrometheusScrapingEndpoint("/metrics").WithMetadata(new AccessAttribute(AccessKind.Open));
        return app;
    }

    /// <summary>Runs a service until it is told to stop. A wrong setting or a busy port gives a clear message and exit code 1.</summary>
    public static async Task<int> RunAsync(Func<WebApplication> build)
    {
        ArgumentNullException.ThrowIfNull(build);
        try
        {
            await using var app = build();
            await app.RunAsync().ConfigureAwait(false);
            return 0;
        }
        catch (InvalidSettingException problem)
        {
            await Console.Error.WriteLineAsync(problem.Message).ConfigureAwait(false);
            return 1;
        }
        catch (IOException problem) when (problem.InnerException is AddressInUseException or SocketException)
        {
            await Console.Error.WriteLineAsync($"{problem.Message} Choose another port.").ConfigureAwait(false);
            return 1;
        }
    }

    /// <summary>The HTTP/2 port a running service listens on.</summary>
    public static int AppPort(this WebApplication app) => PortAt(app, 0);

    /// <summary>The HTTP/1.1 port a running service listens on.</summary>
    public static int ProbePort(this WebApplication app) => PortAt(app, 1);

    private static int PortAt(WebApplication app, int index)
    {
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()
            ?? throw new InvalidOperationException("The service is not listening.");
        return new Uri(addresses.Addresses.ElementAt(index)).Port;
    }

    private static void ConfigureLogging(ILoggingBuilder logging, EndpointOptions listen)
    {
        var level = listen.LogLevel;
        logging.ClearProviders();
        logging.AddRedactedConsole(listen.LogFormat);
        logging.SetMinimumLevel(level);
        var frameworkLevel = level > LogLevel.Warning ? level : LogLevel.Warning;
        foreach (var framework in (string[])["Microsoft", "System", "Grpc", "Dapr", "OpenTelemetry"])
            logging.AddFilter(framework, frameworkLevel);

        // The answer to a probe says what is not ready; a line in the log for each would drown the rest.
        logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None);
    }

    private static void ConfigurePorts(IWebHostBuilder host, AppDefinition app, EndpointOptions listen) =>
        host.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaximumBodyBytes;
            kestrel.Limits.Http2.MaxStreamsPerConnection = 1_000;
            kestrel.Limits.Http2.InitialConnectionWindowSize = 4 * 1024 * 1024;
            kestrel.Limits.Http2.InitialStreamWindowSize = 1024 * 1024;
            kestrel.Listen(
                AddressOf(listen.AppHost), listen.AppPort >= 0 ? listen.AppPort : app.AppPort,
                options => options.Protocols = HttpProtocols.Http2);
            kestrel.Listen(
                AddressOf(listen.ProbeHost ?? listen.AppHost), listen.ProbePort >= 0 ? listen.ProbePort : app.ProbePort,
                options =>
                {
                    options.Protocols = HttpProtocols.Http1;
                    if (CertificateOf(listen) is { } certificate)
                        options.UseHttps(certificate);
                });
        });

    private static X509Certificate2? CertificateOf(EndpointOptions listen)
    {
        if (listen.ProbeCertificate.Length == 0)
            return null;
        try
        {
            return X509Certificate2.CreateFromPemFile(
                listen.ProbeCertificate, listen.ProbeCertificateKey.Length > 0 ? listen.ProbeCertificateKey : null);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new InvalidSettingException($"The TLS certificate '{listen.ProbeCertificate}' cannot be used: {problem.Message}", problem);
        }
    }

    private static IPAddress AddressOf(string host) => host == "localhost"
        ? IPAddress.Loopback
        : IPAddress.TryParse(host, out var address)
            ? address
            : throw new InvalidSettingException($"'{host}' is not an IP address to listen on.");
}
