using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using StripeMeter.Defaults.Access;
using StripeMeter.Gateway.Access;
using StripeMeter.Gateway.Errors;
using StripeMeter.Metering.Tenants;
using StripeMeter.V1;
using RequestKeyCalls = StripeMeter.V1.RequestKeyService.RequestKeyServiceClient;

namespace StripeMeter.Gateway.Requests;

/// <summary>
/// Holds the header <c>Idempotency-Key</c> of a request that changes something to that request: with another method, address or
/// body it is refused, because one of the two is a mistake. Events have keys of their own, and are not concerned.
/// </summary>
public sealed class RequestKeyMiddleware(RequestDelegate next, RequestKeyCalls keys, GatewayOptions options)
{
    public const string Header = "Idempotency-Key";
    private const int MaximumLength = 255;

    internal static readonly HeaderParameter HeaderParameter =
        new(Header, "Names the request: used again for another one it is refused (422). The same request may be sent again.", MaximumLength);

    /// <summary>The key of a request; empty if it has none.</summary>
    public static string KeyOf(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Request.Headers[Header].ToString();
    }

    public Task InvokeAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return KeyOf(context).Length > 0 && context.GetEndpoint()?.Metadata.GetMetadata<AccessAttribute>() is { IsRecorded: true }
            ? ClaimAsync(context) : next(context);
    }

    private async Task ClaimAsync(HttpContext context)
    {
        var key = KeyOf(context);
        if (key.Length > MaximumLength)
            throw new ProblemException(Problem.Invalid(Header, $"must have at most {MaximumLength} characters"));
        var (fingerprint, tenant) = await ReadAsync(context).ConfigureAwait(false);

        // A request without a tenant that can be claimed for is refused by its route, or manages tenants, whose ids are unique.
        if (TenantId.IsValid(tenant) && CallerTenant.MayName(tenant))
        {
            var claim = new ClaimRequestKeyRequest { TenantId = tenant, IdempotencyKey = key, Fingerprint = fingerprint };
            await keys.ClaimRequestKeyAsync(claim, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        }

        await next(context).ConfigureAwait(false);
    }

    /// <summary>What the request is, and whose. Of a file that is streamed as the body only the address is compared here.</summary>
    private async Task<(string Fingerprint, string Tenant)> ReadAsync(HttpContext context)
    {
        var request = context.Request;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{request.Method} {request.Path}{request.QueryString}\n"));
        var tenant = CallerTenant.Own ?? request.Query[CallerTenant.Name].ToString();
        if (RequestBody.IsOfType(request.ContentType, "application/json"))
        {
            request.EnableBuffering();
            using var body = await RequestBody.ReadOfAnyTypeAsync(context, Math.Max(options.BodyBytes, options.BackfillBodyBytes)).ConfigureAwait(false);
            request.Body.Position = 0;
            hash.AppendData(body.Utf8);
            if (tenant.Length == 0)
                tenant = TenantIn(body.Memory);
        }

        return (Convert.ToHexStringLower(hash.GetHashAndReset()), tenant);
    }

    private static string TenantIn(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty(CallerTenant.Name, out var tenant) && tenant.ValueKind == JsonValueKind.String
                    ? JsonBody.Text(tenant) ?? "" : "";
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            // The route says what is wrong with it.
            return "";
        }
    }
}
