using Grpc.Core;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.V1;

namespace StripeMeter.Defaults.Access;

/// <summary>Asks the service that owns the keys, for services that have no store.</summary>
public sealed class AskedKeys(IdentityService.IdentityServiceClient identity) : IKeySource
{
    public async Task<VerifiedKey?> VerifyAsync(string key, CancellationToken cancellation)
    {
        using var system = Call.ActAs(Principal.System);
        try
        {
            var answer = await identity.VerifyKeyAsync(new VerifyKeyRequest { Secret = key }, cancellationToken: cancellation).ConfigureAwait(false);
            var scopes = answer.Scopes.Aggregate(Scopes.None, (all, name) => ScopeNames.TryRead(name, out var scope) ? all | scope : all);
            var principal = new Principal
            {
                Name = "api:" + answer.Id, Tenants = new HashSet<TenantId> { new(answer.TenantId) }, Scopes = scopes, Project = answer.ProjectId,
            };
            return new VerifiedKey(principal, ExpiryOf(answer));
        }
        catch (RpcException refusal) when (refusal.StatusCode == StatusCode.NotFound)
        {
            return null;
        }
    }

    private static Instant? ExpiryOf(VerifyKeyResponse answer) =>
        answer.ExpireTime is { } time && time.TryToInstant(out var instant) is null ? instant : null;
}
