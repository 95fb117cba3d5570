using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using StripeMeter.Defaults.Hosting;

namespace StripeMeter.Defaults.Telemetry;

/// <summary>
/// Metrics as Prometheus text at <c>/metrics</c>; traces over OTLP when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set.
/// </summary>
public static class ServiceTelemetry
{
    /// <summary>Every meter and activity source of ours has this prefix.</summary>
    public const string Prefix = "StripeMeter.";

    private const string OtlpEndpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    public static void AddServiceTelemetry(this WebApplicationBuilder builder, AppDefinition app)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var telemetry = builder.Services.AddOpenTelemetry().ConfigureResource(resource => resource.AddService(app.Id));
        telemetry.WithMetrics(metrics => metrics
            .AddMeter(Prefix + "*")
            .AddAspNetCoreInstrumentation()
            .AddRuntimeInstrumentation()
            .AddPrometheusExporter(options => options.ScrapeResponseCacheDurationMilliseconds = 0));
        if (string.IsNullOrEmpty(builder.Configuration[OtlpEndpoint]))
            return;
        telemetry.WithTracing(traces => traces
            .AddSource(Prefix + "*")
            .AddAspNetCoreInstrumentation()
            .AddHttpClientInstrumentation()
            .AddOtlpExporter());
    }
}
