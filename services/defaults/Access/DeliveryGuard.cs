using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using StripeMeter.Defaults.Hosting;
using StripeMeter.Metering.Identity;

namespace StripeMeter.Defaults.Access;

/// <summary>
/// The first thing every request meets: as long as nothing is proven it is nobody's. What is not gRPC comes from the sidecar
/// (messages, actors) and must bring its token; the REST routes of the gateway ask for keys themselves.
/// </summary>
internal sealed class DeliveryGuard(AccessOptions options, AppDefinition app) : IStartupFilter
{
    private const string TokenHeader = "dapr-api-token";
    private const string GrpcContent = "application/grpc";
    private static readonly PathString[] Open = ["/health", "/metrics"];
    private readonly byte[] _token = SHA256.HashData(Encoding.UTF8.GetBytes(options.AppToken));

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => builder =>
    {
        builder.Use(GuardAsync);
        next(builder);
    };

    private async Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        var principal = options.BypassesAuthentication ? Principal.Development : IsDelivery(context.Request) ? Principal.System : Principal.Nobody;
        Call.Begin(new Call(principal, context.TraceIdentifier));
        if (principal.IsSomebody || IsForOthersToDecide(context.Request))
            await next(context).ConfigureAwait(false);
        else
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
    }

    private bool IsDelivery(HttpRequest request) => !IsGrpc(request)
        && CryptographicOperations.FixedTimeEquals(_token, SHA256.HashData(Encoding.UTF8.GetBytes(request.Headers[TokenHeader].ToString())));

    private bool IsForOthersToDecide(HttpRequest request) =>
        app == AppCatalogue.Gateway || IsGrpc(request) || Array.Exists(Open, path => request.Path.StartsWithSegments(path));

    private static bool IsGrpc(HttpRequest request) => request.ContentType?.StartsWith(GrpcContent, StringComparison.OrdinalIgnoreCase) == true;
}
