using System.Globalization;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Wire;
using StripeMeter.Gateway.Access;
using StripeMeter.Gateway.Errors;
using StripeMeter.Gateway.OpenApi;
using StripeMeter.Gateway.Requests;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Time;

namespace StripeMeter.Gateway.Usage;

/// <summary>What a customer uses, used, and will pay.</summary>
internal static class UsageEndpoints
{
    public static void MapUsage(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/usage/current", CurrentUsageEndpoint.HandleAsync)
            .Describe("Usage", "GetCurrentUsage", "What a customer used in the billing period under way",
                CommonParameters.Tenant, CommonParameters.RequiredCustomer)
            .Allows(AccessKind.Read, Scopes.UsageRead, forCustomers: true);
        routes.MapGet("/v1/usage/history", HistoryEndpoint.HandleAsync)
            .Describe("Usage", "GetUsageHistory", "What a customer used over time", HistoryEndpoint.Parameters)
            .Allows(AccessKind.Read, Scopes.UsageRead, forCustomers: true)
            .WithMetadata(new ErrorEnvelope(writer =>
            {
                writer.WriteStartArray("usage");
                writer.WriteEndArray();
            }));
        routes.MapPost("/v1/usage/projection", ProjectionEndpoint.HandleAsync)
            .Describe("Usage", "GetProjection", "What the usage of the billing period costs so far")
            .Allows(AccessKind.Read, Scopes.UsageRead, forCustomers: true)
            .Takes<ProjectionRequest>();
    }

    public static UsagePeriod ToPeriod(Google.Protobuf.WellKnownTypes.Timestamp start, Google.Protobuf.WellKnownTypes.Timestamp end)
    {
        start.TryToInstant(out var first);
        end.TryToInstant(out var behind);
        return new UsagePeriod(DayOf(first), DayOf(new Instant(behind.Ticks - 1)), first.ToString(), behind.ToString());
    }

    public static string DayOf(Instant instant) => instant.ToUtc().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
