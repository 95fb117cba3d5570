using System.Text.Json;
using Dapr.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using StripeMeter.Defaults.Access;

namespace StripeMeter.Defaults.Health;

/// <summary>
/// <c>/health/live</c> says that the process runs, <c>/health/ready</c> that everything it needs answers now; the gRPC
/// health service tells the same as ready.
/// </summary>
public static class HealthEndpoints
{
    private const string Ready = "ready";
    private static readonly string Version = typeof(HealthEndpoints).Assembly.GetName().Version!.ToString(3);
    private static readonly TimeSpan CheckTimeout = TimeSpan.FromSeconds(3);

    public static void AddServiceHealth(this WebApplicationBuilder builder)
    {
        builder.Services.AddHealthChecks().AddReadyCheck<SidecarCheck>("sidecar");
        builder.Services.AddGrpcHealthChecks(options =>
            options.Services.Map("", check => check.Tags.Contains(Ready)));
    }

    /// <summary>Adds a check that must pass for the service to be ready.</summary>
    public static IHealthChecksBuilder AddReadyCheck<TCheck>(this IHealthChecksBuilder checks, string name)
        where TCheck : class, IHealthCheck =>
        checks.AddCheck<TCheck>(name, HealthStatus.Unhealthy, [Ready], CheckTimeout);

    /// <summary>Adds a check that must pass for the service to be ready, and that needs more than its type to be made.</summary>
    public static IHealthChecksBuilder AddReadyCheck(
        this IHealthChecksBuilder checks, string name, Func<IServiceProvider, IHealthCheck> create)
    {
        ArgumentNullException.ThrowIfNull(checks);
        return checks.Add(new HealthCheckRegistration(name, create, HealthStatus.Unhealthy, [Ready], CheckTimeout));
    }

    public static void MapServiceHealth(this WebApplication app)
    {
        app.MapGrpcHealthChecksService();
        app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false, ResponseWriter = WriteLiveAsync })
            .WithMetadata(new AccessAttribute(AccessKind.Open));
        app.MapHealthChecks("/health/ready", new HealthCheckOptions
        {
            Predicate = check => check.Tags.Contains(Ready),
            ResponseWriter = WriteReadyAsync,
        }).WithMetadata(new AccessAttribute(AccessKind.Open));
    }

    private static Task WriteLiveAsync(HttpContext context, HealthReport report) =>
        context.Response.WriteAsJsonAsync(new { status = "alive" });

    private static Task WriteReadyAsync(HttpContext context, HealthReport report)
    {
        context.Response.ContentType = "application/json";
        var checks = report.Entries.ToDictionary(
            entry => entry.Key, entry => new { ok = entry.Value.Status == HealthStatus.Healthy, entry.Value.Description });
        var body = new { status = report.Status == HealthStatus.Healthy ? "healthy" : "unhealthy", Version, checks };
        return context.Response.WriteAsync(JsonSerializer.Serialize(body, JsonSerializerOptions.Web));
    }

    private sealed class SidecarCheck(DaprClient dapr) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken) =>
            await dapr.CheckHealthAsync(cancellationToken).ConfigureAwait(false)
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Unhealthy("The Dapr sidecar does not answer.");
    }
}
