using System.Security.Cryptography;
using System.Text;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using StripeMeter.Defaults.Hosting;
using StripeMeter.Metering.Identity;

namespace StripeMeter.Defaults.Access;

/// <summary>
/// The first thing every request meets: as long as nothing is proven it is nobody's. What is not for gRPC comes from the sidecar
/// (messages, actors) and must bring its token; the REST routes of the gateway ask for keys themselves.
/// </summary>
internal sealed class DeliveryGuard(AccessOptions options, AppDefinition app) : IStartupFilter
{
    private const string TokenHeader = "dapr-api-token";
    private const string GrpcContent = "application/grpc";

    /// <summary>What gRPC names in the routes by which it answers that a service has no such method.</summary>
    private const string UnknownMethod = "unimplementedMethod";
    private static readonly PathString[] Open = ["/health", "/metrics"];
    private readonly byte[] _token = SHA256.HashData(Encoding.UTF8.GetBytes(options.AppToken));

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => builder =>
    {
        builder.Use(BeginAsync);
        next(builder);
    };

    /// <summary>Stands behind routing: what a request says of its content is its sender's to choose, what it reaches is not.</summary>
    public Task AskAsync(HttpContext context, RequestDelegate next)
    {
        if (Call.Current is { Principal.IsSomebody: true } || IsForOthersToDecide(context))
            return next(context);
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        return Task.CompletedTask;
    }

    private async Task BeginAsync(HttpContext context, RequestDelegate next)
    {
        var principal = options.BypassesAuthentication ? Principal.Development : IsDelivery(context.Request) ? Principal.System : Principal.Nobody;
        Call.Begin(new Call(principal, context.TraceIdentifier));
        await next(context).ConfigureAwait(false);
    }

    /// <summary>Of a gRPC call the token says nothing: the sidecar adds it to those of clients too.</summary>
    private bool IsDelivery(HttpRequest request) => !IsGrpc(request)
        && CryptographicOperations.FixedTimeEquals(_token, SHA256.HashData(Encoding.UTF8.GetBytes(request.Headers[TokenHeader].ToString())));

    private bool IsForOthersToDecide(HttpContext context) => app == AppCatalogue.Gateway || IsForGrpc(context.GetEndpoint())
        || Array.Exists(Open, path => context.Request.Path.StartsWithSegments(path));

    private static bool IsForGrpc(Endpoint? endpoint) => endpoint?.Metadata.GetMetadata<GrpcMethodMetadata>() is not null
        || endpoint is RouteEndpoint { RoutePattern.Parameters: [{ Name: UnknownMethod }] };

    private static bool IsGrpc(HttpRequest request) => request.ContentType?.StartsWith(GrpcContent, StringComparison.OrdinalIgnoreCase) == true;
}
