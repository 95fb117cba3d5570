using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StripeMeter.Defaults.Access;
using StripeMeter.Metering.AuditLog;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Defaults.Auditing;

/// <summary>
/// Enters what methods change in the audit log of its tenant: the beginning before anything is stored, and the outcome before
/// the call is answered. Without a beginning nothing is changed. A change whose outcome cannot be written is answered as what
/// it is, done; in the log it stays without an outcome, as after a crash.
/// </summary>
public sealed partial class ChangeRecorder(IServiceProvider services, TimeProvider clock, ILogger<ChangeRecorder> logger)
{
    /// <summary>Longest text kept of a request or answer, in characters. Of a longer one its hash is.</summary>
    public const int MaximumTextLength = 16_384;

    private const int MaximumRequestIdLength = 128;
    private const int Lanes = 64;
    private static readonly TimeSpan OutcomePatience = TimeSpan.FromSeconds(10);
    private static readonly JsonFormatter Json = new(JsonFormatter.Settings.Default.WithPreserveProtoFieldNames(false));

    /// <summary>Entries of a tenant go in one behind the other: those who went side by side would only get in each other's way.</summary>
    private readonly SemaphoreSlim[] _lanes = [.. Enumerable.Range(0, Lanes).Select(_ => new SemaphoreSlim(1))];

    /// <summary>Has a call make a change, and enters it.</summary>
    public async Task<TResponse> RecordAsync<TResponse>(Call call, string method, IMessage asked, Func<Task<TResponse>> make)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(method);
        ArgumentNullException.ThrowIfNull(make);
        var change = Expect(call, method, asked);
        Call.Begin(call with { Change = change });
        TResponse response;
        try
        {
            response = await make().ConfigureAwait(false);
        }
        catch (Exception problem)
        {
            await NotDoneAsync(call, change, problem).ConfigureAwait(false);
            throw;
        }

        await DoneAsync(call, change, (IMessage)response!).ConfigureAwait(false);
        return response;
    }

    private RecordedChange Expect(Call call, string method, IMessage asked) => new(ActionOf(method), asked, (change, tenant, cancellation) => WriteAsync(
        tenant, Entry(call, change, AuditStage.Begun) with { Asked = Text(asked), Before = change.Before is { } before ? Text(before) : "" }, cancellation));

    private async Task DoneAsync(Call call, RecordedChange change, IMessage after)
    {
        var begun = await change.EndAsync().ConfigureAwait(false);
        var outcome = Entry(call, change, AuditStage.Done) with { After = Text(after), Begun = begun, Asked = begun == 0 ? Text(change.Asked) : "" };
        await OutcomeAsync(change, outcome, after).ConfigureAwait(false);
    }

    /// <summary>Enters why a change that was begun was not made, or perhaps not. One that was not begun is not entered: it changed nothing.</summary>
    private async Task NotDoneAsync(Call call, RecordedChange change, Exception problem)
    {
        try
        {
            var begun = await change.EndAsync().ConfigureAwait(false);
            if (begun == 0)
                return;
            var stage = IsRefusal(problem) ? AuditStage.Refused : AuditStage.Failed;
            var told = problem is RpcException { Status: var status } ? new { code = status.StatusCode.ToString(), detail = status.Detail } : new { code = "Unknown", detail = "" };
            await OutcomeAsync(change, Entry(call, change, stage) with { After = JsonSerializer.Serialize(told), Begun = begun }, null).ConfigureAwait(false);
        }
        catch (Exception unwritten) when (unwritten is StoreUnavailableException or OperationCanceledException)
        {
            // The beginning was not written, so nothing was changed.
        }
    }

    /// <summary>Whether a method says that it changed nothing; of everything else nobody knows.</summary>
    private static bool IsRefusal(Exception problem) => problem is OtherTenantException
        or RpcException
        {
            StatusCode: StatusCode.InvalidArgument or StatusCode.NotFound or StatusCode.AlreadyExists or StatusCode.FailedPrecondition
                or StatusCode.PermissionDenied or StatusCode.Aborted or StatusCode.ResourceExhausted or StatusCode.OutOfRange
        };

    private AuditEntry Entry(Call call, RecordedChange change, string stage) => new(
        0, Instant.Of(clock.GetUtcNow()).ToString(), call.Principal.Name, change.Action, RequestIdOf(call), "", "", "", stage);

    private async Task OutcomeAsync(RecordedChange change, AuditEntry outcome, IMessage? after)
    {
        if ((change.Tenant ?? (after is null ? null : CallerFields.TenantOf(after))) is not { } tenant)
            return;
        using var patience = new CancellationTokenSource(OutcomePatience, clock);
        try
        {
            await WriteAsync(tenant, outcome, patience.Token).ConfigureAwait(false);
        }
        catch (Exception problem) when (problem is StoreUnavailableException or OperationCanceledException)
        {
            LogUnwritten(logger, problem, outcome.Action, outcome.Stage, outcome.Begun);
        }
    }

    private async Task<long> WriteAsync(TenantId tenant, AuditEntry entry, CancellationToken cancellation)
    {
        if (services.GetService<IMeterStore>() is not { } store)
            return 0;
        var lane = _lanes[unchecked((uint)tenant.GetHashCode()) % Lanes];
        await lane.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            // The change was allowed; that it is recorded is the system's concern.
            using var system = Call.Unrecorded();
            return await new AuditTrail(store.Of(tenant).Documents).AppendAsync(entry, cancellation).ConfigureAwait(false);
        }
        finally
        {
            lane.Release();
        }
    }

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

    [LoggerMessage(13, LogLevel.Error, "{Action} is {Stage}, and the audit log could not be told; it shows its beginning, entry {Begun}, without an outcome")]
    private static partial void LogUnwritten(ILogger logger, Exception problem, string action, string stage, long begun);
}
