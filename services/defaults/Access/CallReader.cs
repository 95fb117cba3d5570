using Grpc.Core;
using Microsoft.AspNetCore.Http;
using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Limits;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Ledger;

namespace StripeMeter.Defaults.Access;

/// <summary>Finds out who calls a gRPC method: another service that vouches for its caller, or a client with a key.</summary>
public sealed class CallReader(AccessOptions options, Doorkeeper door, AccessInstruments instruments)
{
    public const string RequestIdHeader = "x-request-id";
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    /// <exception cref="RpcException">The caller proves nothing, or may not do this, or does it too often.</exception>
    public async ValueTask<Call> ReadAsync(HttpContext context, AccessAttribute access)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(access);
        var headers = context.Request.Headers;
        var requestId = headers[RequestIdHeader].ToString() is { Length: > 0 } sent ? sent : context.TraceIdentifier;
        if (options.BypassesAuthentication)
            return new Call(Principal.Development, requestId);
        if (headers[CallerToken.Header].ToString() is { Length: > 0 } token)
        {
            // What a caller may do was decided at the door that vouches for it.
            if (door.Tokens!.Read(token) is not { } vouched)
                throw Refuse(access, "Invalid caller");
            return access.Kind != AccessKind.Internal || vouched.ReachesAll
                ? new Call(vouched, requestId)
                : throw RpcErrors.PermissionDenied(access.Refusal);
        }

        if (access.Kind == AccessKind.Open)
            return new Call(Principal.Nobody, requestId);
        var principal = await ProveAsync(context, access).ConfigureAwait(false);
        return new Call(principal, requestId);
    }

    private async Task<Principal> ProveAsync(HttpContext context, AccessAttribute access)
    {
        var headers = context.Request.Headers;
        var credential = Credentials.Of(headers[Credentials.AuthorizationHeader], headers[Credentials.KeyHeader]);
        Verification verification;
        try
        {
            verification = await door.Credentials!.VerifyAsync(credential, context.RequestAborted).ConfigureAwait(false);
        }
        catch (StoreUnavailableException problem)
        {
            throw RpcErrors.Unavailable(problem.Message, RetryAfter);
        }

        if (!verification.IsProven)
            throw Refuse(access, verification.Failure);
        if (!access.Allows(verification.Principal))
        {
            instruments.ScopeDenied(context.Request.Path);
            throw RpcErrors.PermissionDenied(access.Refusal);
        }

        var allowance = door.Limiter.Take(verification.Principal);
        return allowance.IsGranted ? verification.Principal : throw RpcErrors.Exhausted("Rate limit exceeded", allowance.RetryAfter);
    }

    private RpcException Refuse(AccessAttribute access, string failure)
    {
        instruments.NotProven(access.Kind.ToString());
        return RpcErrors.Unauthenticated(failure);
    }
}

/// <summary>What proves callers, and how often they may come.</summary>
/// <param name="Limiter">Limits of callers.</param>
/// <param name="Credentials">Credentials of clients; null without authentication.</param>
/// <param name="Tokens">How services vouch for callers; null without authentication.</param>
public sealed record Doorkeeper(RequestLimiter Limiter, Credentials? Credentials, CallerToken? Tokens);
