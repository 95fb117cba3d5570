using System.Diagnostics.CodeAnalysis;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Time;

namespace StripeMeter.Defaults.Access;

/// <summary>What came of a credential.</summary>
/// <param name="Principal">Who it proves the caller to be; null if it proves nothing.</param>
/// <param name="Failure">Why it proves nothing, in the words that clients know.</param>
public readonly record struct Verification(Principal? Principal, string Failure)
{
    [MemberNotNullWhen(true, nameof(Principal))]
    public bool IsProven => Principal is not null;

    public static Verification Refused(string failure) => new(null, failure);
}

/// <summary>Reads credentials of clients, and says who they prove the caller to be: API keys and customer tokens.</summary>
public sealed class Credentials(KeySecret secret, VerifiedKeys keys, TimeProvider clock)
{
    public const string AuthorizationHeader = "authorization";
    public const string KeyHeader = "x-api-key";
    public const string Missing = "Missing API key";

    /// <summary>How tokens of customers begin.</summary>
    public const string CustomerPrefix = "sm_customer_";

    private const string Malformed = "Invalid API key format";
    private const string Invalid = "Invalid API key";
    private const string Bearer = "Bearer ";
    private readonly SignedToken<CustomerClaims> _customers = CustomerTokens(secret);

    public static SignedToken<CustomerClaims> CustomerTokens(KeySecret secret)
    {
        ArgumentNullException.ThrowIfNull(secret);
        return new(secret.Derive("customer"), CustomerPrefix);
    }

    /// <summary>The credential in the headers, <c>Authorization</c> first, with or without <c>Bearer</c>.</summary>
    public static string Of(string? authorization, string? key)
    {
        var sent = string.IsNullOrEmpty(authorization) ? key : authorization;
        return sent is null ? "" : (sent.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? sent[Bearer.Length..] : sent).Trim();
    }

    /// <exception cref="Metering.Ledger.StoreUnavailableException">It cannot be said now.</exception>
    /// <exception cref="Grpc.Core.RpcException">The same, from the service that owns the keys.</exception>
    public ValueTask<Verification> VerifyAsync(string credential, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(credential);
        if (credential.Length == 0)
            return new(Verification.Refused(Missing));
        if (_customers.IsMeant(credential))
        {
            return new(_customers.TryRead(credential, Instant.Of(clock.GetUtcNow()), out var claims)
                ? new Verification(claims.ToPrincipal(), "")
                : Verification.Refused(Invalid));
        }

        return ApiKeyText.TryReadId(credential, out _)
            ? VerifyKeyAsync(credential, cancellation)
            : new(Verification.Refused(Malformed));
    }

    private async ValueTask<Verification> VerifyKeyAsync(string key, CancellationToken cancellation) =>
        await keys.FindAsync(key, cancellation).ConfigureAwait(false) is { } principal
            ? new Verification(principal, "")
            : Verification.Refused(Invalid);
}
