using Grpc.Core;
using Grpc.Health.V1;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace StripeMeter.Gateway.Health;

/// <summary>Ready when a service behind the gateway says so through Dapr.</summary>
internal sealed class ServiceCheck(string appId, CallInvoker invoker, TimeProvider clock) : IHealthCheck
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);
    private readonly Grpc.Health.V1.Health.HealthClient _health = new(invoker);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            var response = await _health.CheckAsync(
                new HealthCheckRequest(), deadline: (clock.GetUtcNow() + Timeout).UtcDateTime, cancellationToken: cancellationToken)
                .ConfigureAwait(false);
            return response.Status == HealthCheckResponse.Types.ServingStatus.Serving
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Unhealthy($"{appId} is not ready.");
        }
        catch (RpcException problem)
        {
            return HealthCheckResult.Unhealthy($"{appId} does not answer: {problem.StatusCode}.");
        }
    }
}
