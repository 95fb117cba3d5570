using Dapr.Client;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Hosting;

namespace StripeMeter.Defaults.Invocation;

/// <summary>gRPC clients of the other services. Every call goes through the own sidecar, which finds the service by its app id.</summary>
public static class ServiceClients
{
    private const string EndpointSetting = "DAPR_GRPC_ENDPOINT";
    private const string PortSetting = "DAPR_GRPC_PORT";
    private const string TokenSetting = "DAPR_API_TOKEN";
    private const string DefaultPort = "50001";

    /// <summary>Makes a service callable. Its clients share one HTTP/2 connection to the sidecar.</summary>
    /// <param name="services">Where clients are registered.</param>
    /// <param name="callee">The service.</param>
    /// <param name="timeout">How long a call may take that brings no deadline of its own.</param>
    public static ServiceClientBuilder AddServiceCalls(this IServiceCollection services, AppDefinition callee, TimeSpan timeout)
    {
        ArgumentNullException.ThrowIfNull(callee);
        services.AddKeyedSingleton(callee.Id, (provider, _) => CreateInvoker(provider, callee.Id)
            .Intercept(
                new DeadlineInterceptor(timeout, provider.GetRequiredService<TimeProvider>()),
                new CallerForwarding(provider.GetService<CallerToken>())));
        return new ServiceClientBuilder(services, callee.Id);
    }

    /// <summary>The SDK reads the sidecar's address from the environment only; services that share a process need it from their configuration.</summary>
    private static CallInvoker CreateInvoker(IServiceProvider provider, string appId)
    {
        var configuration = provider.GetRequiredService<IConfiguration>();
        var endpoint = configuration[EndpointSetting];
        if (string.IsNullOrEmpty(endpoint))
            endpoint = $"http://localhost:{configuration[PortSetting] ?? DefaultPort}";
        var options = new GrpcChannelOptions { MaxReceiveMessageSize = ServiceHost.MaximumBodyBytes };
        return DaprClient.CreateInvocationInvoker(appId, options, endpoint, configuration[TokenSetting]);
    }
}

/// <summary>Registers clients of one service.</summary>
public sealed class ServiceClientBuilder(IServiceCollection services, string appId)
{
    public ServiceClientBuilder AddClient<TClient>(Func<CallInvoker, TClient> create) where TClient : class
    {
        services.AddSingleton(provider => create(provider.GetRequiredKeyedService<CallInvoker>(appId)));
        return this;
    }
}
