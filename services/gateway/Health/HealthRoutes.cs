using Grpc.Core;
using StripeMeter.Defaults.Health;
using StripeMeter.Defaults.Hosting;
using StripeMeter.Gateway.Access;
using StripeMeter.Metering.Time;

namespace StripeMeter.Gateway.Health;

/// <summary>That the gateway runs.</summary>
/// <param name="Status">Always ok.</param>
/// <param name="Timestamp">The time of the server.</param>
public sealed record HealthAnswer(string Status, string Timestamp);

/// <summary>The gateway is ready when its sidecar and every service behind it are.</summary>
internal static class HealthRoutes
{
    private static readonly AppDefinition[] Services =
        [AppCatalogue.Ingest, AppCatalogue.Aggregator, AppCatalogue.Pusher, AppCatalogue.Pricing];

    public static void AddGatewayHealth(this IServiceCollection services)
    {
        var checks = services.AddHealthChecks();
        foreach (var service in Services)
        {
            checks.AddReadyCheck(service.Id, provider => new ServiceCheck(
                service.Id, provider.GetRequiredKeyedService<CallInvoker>(service.Id), provider.GetRequiredService<TimeProvider>()));
        }
    }

    public static void MapHealth(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/health", (TimeProvider clock) => new HealthAnswer("ok", Instant.Of(clock.GetUtcNow()).ToString()))
            .Open()
            .WithTags("Health")
            .WithName("GetHealth")
            .WithSummary("That the gateway runs. `/health/ready` says whether it can work");
}
