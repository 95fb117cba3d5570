using StripeMeter.Defaults.Access;
using StripeMeter.Gateway.OpenApi;
using StripeMeter.Gateway.Requests;
using StripeMeter.Metering.Identity;

namespace StripeMeter.Gateway.Access;

/// <summary>Says who may use a route. One that says nothing needs the scope of the whole project.</summary>
internal static class RouteAccess
{
    /// <param name="route">The route.</param>
    /// <param name="kind">What it does.</param>
    /// <param name="part">A scope that allows it too, beside that of the whole project.</param>
    /// <param name="forCustomers">Whether a customer's token does too.</param>
    /// <param name="isPartRequired">Whether the scope of the whole project does not do.</param>
    public static RouteHandlerBuilder Allows(
        this RouteHandlerBuilder route, AccessKind kind, Scopes part = Scopes.None, bool forCustomers = false, bool isPartRequired = false)
    {
        var access = new AccessAttribute(kind, part) { ForCustomers = forCustomers, IsPartRequired = isPartRequired };
        route.WithMetadata(access);
        if (access.IsRecorded)
            route.WithMetadata(RequestKeyMiddleware.HeaderParameter).Refuses(StatusCodes.Status422UnprocessableEntity);
        return kind == AccessKind.Open
            ? route
            : route.Refuses(StatusCodes.Status401Unauthorized).Refuses(StatusCodes.Status403Forbidden).Refuses(StatusCodes.Status429TooManyRequests);
    }

    /// <summary>Lets everyone in, for what proves its caller in its own way or shows nothing of a tenant.</summary>
    public static TBuilder Open<TBuilder>(this TBuilder route) where TBuilder : IEndpointConventionBuilder =>
        route.WithMetadata(new AccessAttribute(AccessKind.Open));

    /// <summary>What is needed for a route.</summary>
    public static AccessAttribute AccessOf(Endpoint route, string method) => AccessOf(route.Metadata.GetMetadata<AccessAttribute>(), method);

    /// <param name="declared">What the route declares, if anything.</param>
    /// <param name="method">The HTTP method.</param>
    public static AccessAttribute AccessOf(AccessAttribute? declared, string method) => declared
        ?? (HttpMethods.IsGet(method) || HttpMethods.IsHead(method) ? AccessAttribute.UndeclaredRead : AccessAttribute.Undeclared);
}
