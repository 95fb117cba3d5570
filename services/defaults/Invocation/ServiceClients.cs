using Dapr.Client;
using Grpc.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using StripeMeter.Defaults.Hosting;

namespace StripeMeter.Defaults.Invocation;

/// <summary>gRPC clients of the other services. Every call goes through the own sidecar, which finds the service by its app id.</summary>
public static class ServiceClients
{
    private const string EndpointSetting = "DAPR_GRPC_ENDPOINT";
    private const string PortSetting = "DAPR_GRPC_PORT";
    private const string TokenSetting = "DAPR_API_TOKEN";
    private const string DefaultPort = "50001";

    /// <summary>Registers a client, with one HTTP/2 connection to the sidecar per service called.</summary>
    public static void AddServiceClient<TClient>(
        this IServiceCollection services, AppDefinition callee, Func<CallInvoker, TClient> create)
        where TClient : class
    {
        ArgumentNullException.ThrowIfNull(callee);
        services.AddServiceInvoker(callee);
        services.AddSingleton(provider => create(provider.GetRequiredKeyedService<CallInvoker>(callee.Id)));
    }

    /// <summary>Registers the bare invoker of a service under its app id.</summary>
    private static void AddServiceInvoker(this IServiceCollection services, AppDefinition callee)
    {
        if (services.Any(service => service.IsKeyedService && Equals(service.ServiceKey, callee.Id)))
            return;
        services.AddKeyedSingleton(callee.Id, (provider, _) => CreateInvoker(provider, callee.Id));
    }

    /// <summary>The SDK reads the sidecar's address from the environment only; services that share a process need it from their configuration.</summary>
    private static CallInvoker CreateInvoker(IServiceProvider provider, string appId)
    {
        var configuration = provider.GetRequiredService<IConfiguration>();
        var endpoint = configuration[EndpointSetting];
        if (string.IsNullOrEmpty(endpoint))
            endpoint = $"http://localhost:{configuration[PortSetting] ?? DefaultPort}";
        return DaprClient.CreateInvocationInvoker(appId, endpoint, configuration[TokenSetting]);
    }
}
