using System.Text.Json;
using Grpc.Core;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Time;
using StripeMeter.Pusher.Driving;
using StripeMeter.Pusher.StripeApi;
using StripeMeter.V1;
using CounterVersion = StripeMeter.Metering.Counting.CounterVersion;

namespace StripeMeter.Pusher.Recording;

/// <summary>
/// The gRPC face of the billing driver: totals that are counted elsewhere become targets of the delta ledger, and are told
/// by intents like all others.
/// </summary>
internal sealed class BillingDriverEndpoint(
    IMeterStore store, DriverTargets targets, PushProtocol protocol, SummaryReader summaries, DrivingService driving, TimeProvider clock)
    : BillingDriverService.BillingDriverServiceBase
{
    private const string Metric = "billing driver";
    private const string LogId = "billing driver";
    private const int KeyLength = 255;
    private const int MaximumSaves = 20;
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    private Instant Now => Instant.Of(clock.GetUtcNow());

    [Access(AccessKind.Change, Scopes.UsageWrite)]
    public override async Task<RecordUsageResponse> RecordUsage(RecordUsageRequest request, ServerCallContext context)
    {
        var tenant = store.Of(Requests.Tenant(request.TenantId));
        if (request.IdempotencyKey.Length is 0 or > KeyLength)
            throw RpcErrors.Invalid("idempotency_key", $"must have 1 to {KeyLength} characters");
        if (QuantityText.Read(request.Quantity, out var quantity) != QuantityTextError.None)
            throw RpcErrors.Invalid("quantity", $"must be a decimal of at most {Quantity.MaximumIntegerDigits} integer digits and {Quantity.Scale} decimals");
        var place = await targets.FindAsync(tenant, request.Target, context.CancellationToken).ConfigureAwait(false);
        var before = await FindAsync(tenant, place, context.CancellationToken).ConfigureAwait(false);
        Call.NoteBefore(new RecordUsageResponse { Target = before.Target.ToString(), Accepted = before.Accepted.ToString() });
        var call = await BeginAsync(tenant, request.IdempotencyKey, new DriverCall(place.Key, place.Period.Start.Ticks, place.Period.End.Ticks, quantity.ToString()), context.CancellationToken)
            .ConfigureAwait(false);
        var delta = call.IsDone
            ? await FindAsync(tenant, place, context.CancellationToken).ConfigureAwait(false)
            : await RaiseAsync(tenant, place, quantity, context.CancellationToken).ConfigureAwait(false);
        if (!call.IsDone)
            await EndAsync(tenant, call.Stored, context.CancellationToken).ConfigureAwait(false);
        driving.Wake();
        return new RecordUsageResponse { Target = delta.Target.ToString(), Accepted = delta.Accepted.ToString(), Already = call.IsDone };
    }

    [Access(AccessKind.Read, Scopes.UsageRead)]
    public override async Task<GetUsageSummaryResponse> GetUsageSummary(GetUsageSummaryRequest request, ServerCallContext context)
    {
        var tenant = store.Of(Requests.Tenant(request.TenantId));
        var place = await targets.FindAsync(tenant, request.Target, context.CancellationToken).ConfigureAwait(false);
        var start = place.Period.Start.Ceiling(TimeSpan.FromMinutes(1));
        var held = await summaries.TotalAsync(place.Key, start, place.Period.End.ToMinute(), context.CancellationToken).ConfigureAwait(false)
            ?? throw RpcErrors.Unavailable("Stripe's summaries cannot be read now.", RetryAfter);
        var delta = await FindAsync(tenant, place, context.CancellationToken).ConfigureAwait(false);
        return new GetUsageSummaryResponse
        {
            Quantity = held.ToString(), Target = delta.Target.ToString(), Accepted = delta.Accepted.ToString(),
            PeriodStart = place.Period.Start.ToTimestamp(), PeriodEnd = place.Period.End.ToTimestamp(),
        };
    }

    private static async Task<PeriodDelta> FindAsync(ITenantStore tenant, DriverPlace place, CancellationToken cancellation)
    {
        var document = await tenant.Deltas.LoadAsync(place.Key, cancellation).ConfigureAwait(false);
        return document?.FindOrBegin(place.Period) ?? new PeriodDelta { Period = place.Period };
    }

    /// <summary>Notes a call under its key, durably, before anything comes of it.</summary>
    private static async Task<BegunCall> BeginAsync(ITenantStore tenant, string key, DriverCall call, CancellationToken cancellation)
    {
        var document = new StoredDocument(key, JsonSerializer.Serialize(call), 0);
        var written = await tenant.Documents.WriteAsync(DocumentKind.DriverCall, [document], cancellation).ConfigureAwait(false);
        if (written[0])
            return new BegunCall(document with { Revision = 1 }, IsDone: false);
        var standing = await tenant.Documents.GetAsync(DocumentKind.DriverCall, key, cancellation).ConfigureAwait(false)
            ?? throw RpcErrors.Unavailable("The call cannot be read back now.", RetryAfter);
        return JsonSerializer.Deserialize<DriverCall>(standing.Body) == call
            ? new BegunCall(standing, IsDone: standing.Revision > 1)
            : throw RpcErrors.AlreadyExists("KEY_REUSED", "The idempotency_key was used for another call.");
    }

    /// <summary>A second revision says that the call is done.</summary>
    private static async Task EndAsync(ITenantStore tenant, StoredDocument call, CancellationToken cancellation) =>
        await tenant.Documents.WriteAsync(DocumentKind.DriverCall, [call], cancellation).ConfigureAwait(false);

    private async Task<PeriodDelta> RaiseAsync(ITenantStore tenant, DriverPlace place, Quantity quantity, CancellationToken cancellation)
    {
        for (var save = 0; save < MaximumSaves; save++)
        {
            var document = await tenant.Deltas.LoadAsync(place.Key, cancellation).ConfigureAwait(false)
                ?? new DeltaDocument { Key = place.Key, Meter = place.Meter };
            var delta = document.FindOrBegin(place.Period);
            if (protocol.Ends.IsClosed(delta, Now))
                throw RpcErrors.FailedPrecondition("PERIOD_CLOSED", "The invoice of target.period_start is final; what comes now is billed on none.");
            var before = delta.Find(Metric, place.Key.StripeCustomer);
            var version = new CounterVersion(0, (before?.Version.Position ?? 0) + 1);
            var newest = Instant.Max(place.Period.Start, Instant.Min(Now, place.Period.End - TimeSpan.FromSeconds(1)));
            var total = new Contribution(Metric, place.Key.StripeCustomer, quantity, version, LogId, newest);
            // Whoever calls wants it told: what was refused too often is tried again, as after a change of a mapping.
            var raised = protocol.SetBilledFrom(
                protocol.Raise(document, place.Period, total, place.Meter, mapped: Now, Now), place.BilledFrom, Now);
            if (await tenant.Deltas.SaveAsync(raised, cancellation).ConfigureAwait(false))
                return raised.Find(place.Period.Start)!;
        }

        throw new StoreUnavailableException("Other writers were faster each time.");
    }

    private sealed record DriverCall(DeltaKey Key, long PeriodStart, long PeriodEnd, string Quantity);

    private readonly record struct BegunCall(StoredDocument Stored, bool IsDone);
}
