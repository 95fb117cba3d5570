using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Microsoft.Extensions.DependencyInjection;
using StripeMeter.Defaults.Access;
using StripeMeter.Metering.AuditLog;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Defaults.Auditing;

/// <summary>
/// Records what a method changed in the audit log of its tenant, after it was done and before it is answered: when that
/// cannot be written, the call fails, and making it again is safe.
/// </summary>
public sealed class ChangeRecorder(IServiceProvider services, TimeProvider clock)
{
    /// <summary>Longest text kept of a request or answer, in characters. Of a longer one its hash is.</summary>
    public const int MaximumTextLength = 16_384;

    private const int MaximumRequestIdLength = 128;
    private static readonly JsonFormatter Json = new(JsonFormatter.Settings.Default.WithPreserveProtoFieldNames(false));

    public async Task RecordAsync(Call call, string method, IMessage asked, IMessage after, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(method);
        if (services.GetService<IMeterStore>() is not { } store || TenantOf(call, asked, after) is not { } tenant)
            return;
        var entry = new AuditEntry(
            0, Instant.Of(clock.GetUtcNow()).ToString(), call.Principal.Name, ActionOf(method), RequestIdOf(call), Text(asked),
            call.Notes.Before is { } before ? Text(before) : "", Text(after));

        // The change was allowed; that it is recorded is the system's concern.
        using var system = Call.ActAs(Metering.Identity.Principal.System);
        await new AuditTrail(store.Of(tenant).Documents).AppendAsync(entry, cancellation).ConfigureAwait(false);
    }

    private static TenantId? TenantOf(Call call, IMessage asked, IMessage after) =>
        call.Notes.Tenant ?? CallerFields.TenantOf(asked) ?? CallerFields.TenantOf(after);

    /// <summary><c>/stripemeter.v1.MappingService/UpdateMapping</c> is <c>MappingService.UpdateMapping</c>.</summary>
    private static string ActionOf(string method) => method[(method.LastIndexOf('.') + 1)..].Replace('/', '.');

    private static string RequestIdOf(Call call) =>
        call.RequestId.Length <= MaximumRequestIdLength ? call.RequestId : call.RequestId[..MaximumRequestIdLength];

    private static string Text(IMessage message)
    {
        var text = Json.Format(Redaction.Of(message));
        return text.Length <= MaximumTextLength
            ? text
            : string.Create(CultureInfo.InvariantCulture,
                $$"""{"omittedCharacters":{{text.Length}},"sha256":"{{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}}"}""");
    }
}
