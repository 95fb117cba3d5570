using System.Globalization;
using Grpc.AspNetCore.Server;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Limits;
using StripeMeter.Gateway.Errors;
using StripeMeter.Gateway.Requests;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Ledger;

namespace StripeMeter.Gateway.Access;

/// <summary>
/// Stands before every route: proves who calls, refuses what the caller may not, and how often it may come. A route cannot
/// be left out: one that declares nothing needs the scope of the whole project.
/// </summary>
public sealed class AccessMiddleware(
    RequestDelegate next, AccessOptions options, Doorkeeper door, AddressLimiter addresses, AccessInstruments instruments)
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    public Task InvokeAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);

        // What has no route is answered 404, and gRPC is guarded by its interceptor.
        if (context.GetEndpoint() is not { } route || route.Metadata.GetMetadata<GrpcMethodMetadata>() is not null)
            return next(context);
        var access = RouteAccess.AccessOf(route, context.Request.Method);
        return GuardAsync(context, access);
    }

    private async Task GuardAsync(HttpContext context, AccessAttribute access)
    {
        var principal = options.BypassesAuthentication ? Principal.Development
            : access.Kind == AccessKind.Open ? Principal.Nobody
            : await ProveAsync(context, access).ConfigureAwait(false);
        Call.Begin(new Call(principal, context.TraceIdentifier));
        RefuseOtherTenants(context, principal);
        await next(context).ConfigureAwait(false);
    }

    private async ValueTask<Principal> ProveAsync(HttpContext context, AccessAttribute access)
    {
        var headers = context.Request.Headers;
        var verification = await VerifyAsync(Credentials.Of(headers.Authorization, headers[Credentials.KeyHeader]), context.RequestAborted)
            .ConfigureAwait(false);
        if (!verification.IsProven)
            throw NotProven(context, verification.Failure);
        var principal = verification.Principal;
        if (!access.Allows(principal))
        {
            instruments.ScopeDenied(RouteOf(context));
            throw new ProblemException(Problem.Forbidden(access.Refusal));
        }

        Limit(context, principal);
        return principal;
    }

    private async ValueTask<Verification> VerifyAsync(string credential, CancellationToken cancellation)
    {
        try
        {
            return await door.Credentials!.VerifyAsync(credential, cancellation).ConfigureAwait(false);
        }
        catch (StoreUnavailableException problem)
        {
            throw new ProblemException(Problem.Overloaded(problem.Message, RetryAfter));
        }
    }

    /// <summary>Whoever tries keys is slowed down, by where the tries come from.</summary>
    private ProblemException NotProven(HttpContext context, string failure)
    {
        instruments.NotProven(RouteOf(context));
        var allowance = addresses.TakeFailure(context.Connection.RemoteIpAddress);
        if (!allowance.IsGranted)
            return TooMany(context, "Rate limit exceeded", allowance);
        context.Response.OnStarting(static state =>
        {
            ((HttpContext)state).Response.Headers.WWWAuthenticate = "Bearer";
            return Task.CompletedTask;
        }, context);
        return new ProblemException(Problem.Unauthenticated(failure));
    }

    private void Limit(HttpContext context, Principal principal)
    {
        var allowance = door.Limiter.Take(principal);
        if (!allowance.IsGranted)
            throw TooMany(context, "Rate limit exceeded", allowance);
        Tell(context, allowance);
    }

    private ProblemException TooMany(HttpContext context, string detail, Allowance allowance)
    {
        instruments.Limited(RouteOf(context));
        context.Response.OnStarting(static state =>
        {
            // Beside the draft's headers, those that older clients read.
            var (answered, refused) = ((HttpContext, Allowance))state;
            var headers = answered.Response.Headers;
            headers["x-ratelimit-limit"] = Text(refused.Limit);
            headers["x-ratelimit-remaining"] = Text(refused.Remaining);
            headers["x-ratelimit-reset"] = Text(Seconds(refused.Reset));
            return Task.CompletedTask;
        }, (context, allowance));
        Tell(context, allowance);
        return new ProblemException(Problem.TooMany(detail, allowance.RetryAfter));
    }

    /// <summary>Headers of the IETF's draft: what the limit is, and what is left of it.</summary>
    private void Tell(HttpContext context, Allowance allowance)
    {
        var window = (long)door.Limiter.Window.TotalSeconds;
        context.Response.OnStarting(static state =>
        {
            var (answered, told, seconds) = ((HttpContext, Allowance, long))state;
            answered.Response.Headers["RateLimit-Policy"] = FormattableString.Invariant($"\"default\";q={told.Limit};w={seconds}");
            answered.Response.Headers["RateLimit"] = FormattableString.Invariant($"\"default\";r={told.Remaining};t={Seconds(told.Reset)}");
            return Task.CompletedTask;
        }, (context, allowance, window));
    }

    /// <summary>Every tenant that the address names must be the caller's, whatever the route makes of it.</summary>
    private void RefuseOtherTenants(HttpContext context, Principal principal)
    {
        var query = context.Request.Query;
        if (query.TryGetValue(CallerTenant.Name, out var tenants) && !tenants.All(tenant => CallerTenant.MayName(tenant ?? "")))
        {
            instruments.OtherTenant(RouteOf(context));
            throw new ProblemException(Problem.Forbidden("Mismatched tenantId"));
        }

        if (principal.Customer.Length > 0 && query.TryGetValue(CommonParameters.Customer.Name, out var customers)
            && customers.Any(customer => customer != principal.Customer))
        {
            throw new ProblemException(Problem.Forbidden("The token is another customer's."));
        }
    }

    private static string RouteOf(HttpContext context) => (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "";

    private static long Seconds(TimeSpan time) => (long)Math.Ceiling(time.TotalSeconds);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
