using Grpc.Core;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Errors;
using StripeMeter.Ingest.Controlling;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Stores;
using StripeMeter.V1;

namespace StripeMeter.Ingest.RequestKeys;

/// <summary>The gRPC face of the keys of requests. Whoever may write anything may name its requests.</summary>
public sealed class RequestKeyServiceEndpoint(IMeterStore store) : RequestKeyService.RequestKeyServiceBase
{
    [Access(AccessKind.Append, Scopes.Writing)]
    public override async Task<ClaimRequestKeyResponse> ClaimRequestKey(ClaimRequestKeyRequest request, ServerCallContext context)
    {
        var tenant = ControlFields.Tenant(request.TenantId);
        var key = ControlFields.Required("idempotency_key", request.IdempotencyKey, ControlFields.NameLength);
        var fingerprint = ControlFields.Required("fingerprint", request.Fingerprint, ControlFields.NameLength);
        var keys = new RequestKeyBook(store.Of(tenant).Documents);
        var standing = await keys.ClaimAsync(key, fingerprint, context.CancellationToken).ConfigureAwait(false);
        return standing == RequestStanding.Taken
            ? throw RpcErrors.FailedPrecondition("IDEMPOTENCY_KEY_TAKEN", "The Idempotency-Key stands for another request.")
            : new ClaimRequestKeyResponse { RepeatedRequest = standing == RequestStanding.Repeated };
    }
}
