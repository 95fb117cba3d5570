using Grpc.Core;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Mappings;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Time;
using StripeMeter.Pusher.Raising;
using StripeMeter.Pusher.StripeApi;
using StripeMeter.Pusher.Subscriptions;
using StripeMeter.V1;
using Mapping = StripeMeter.V1.Mapping;
using StoredMapping = StripeMeter.Metering.Mappings.Mapping;

namespace StripeMeter.Pusher.Mappings;

/// <summary>
/// The gRPC face of mappings. A mapping that is made or changed marks the counters of its metric, so that what was counted
/// before is pushed too.
/// </summary>
internal sealed class MappingServiceEndpoint(
    IMeterStore store, MeterFinder finder, MeterDirectory meters, RaisingService raising, SubscriptionReader subscriptions, TimeProvider clock)
    : MappingService.MappingServiceBase
{
    private const string IdPrefix = "map_";

    [Access(AccessKind.Read, Scopes.MappingsRead)]
    public override async Task<ListMappingsResponse> ListMappings(ListMappingsRequest request, ServerCallContext context)
    {
        var tenant = Requests.Tenant(request.TenantId);
        var size = Requests.PageSize(request.PageSize);
        var mappings = await store.Of(tenant).Mappings.ListAsync(
            request.Metric.Length > 0 ? request.Metric : null, request.HasActive ? request.Active : null,
            Requests.Cursor<Cursor>(request.PageToken)?.Id, size + 1, context.CancellationToken).ConfigureAwait(false);
        var response = new ListMappingsResponse();
        response.Mappings.AddRange(mappings.Take(size).Select(mapping => mapping.ToWire(tenant)));
        if (mappings.Count > size)
            response.NextPageToken = PageToken.Write(new Cursor(mappings[size - 1].Id));
        return response;
    }

    [Access(AccessKind.Change, Scopes.MappingsWrite)]
    public override async Task<Mapping> CreateMapping(CreateMappingRequest request, ServerCallContext context)
    {
        var mapping = Check(request.Mapping);
        var tenant = store.Of(Requests.Tenant(mapping.TenantId, "mapping.tenant_id"));
        if (mapping.Id.Length > 0)
            throw RpcErrors.Invalid("mapping.id", "is given by the server");
        var began = await finder.CompleteAsync(mapping, context.CancellationToken).ConfigureAwait(false);
        Instant shadowBegan = default;
        if (mapping.Shadow)
            shadowBegan = await finder.CompleteShadowAsync(mapping, context.CancellationToken).ConfigureAwait(false);
        Refuse(MappingRules.CheckSink(mapping));
        var now = Instant.Of(clock.GetUtcNow());
        mapping.Id = IdPrefix + Guid.CreateVersion7(clock.GetUtcNow()).ToString("N");
        var stored = mapping.ToDomain(now, now) with { PriceBegan = began, ShadowPriceBegan = shadowBegan };
        RefuseClash(await tenant.Mappings.CreateAsync(stored, context.CancellationToken).ConfigureAwait(false), stored);
        await PushAgainAsync(tenant, stored, context.CancellationToken).ConfigureAwait(false);
        return stored.ToWire(tenant.Tenant);
    }

    [Access(AccessKind.Read, Scopes.MappingsRead)]
    public override async Task<Mapping> GetMapping(GetMappingRequest request, ServerCallContext context)
    {
        var tenant = store.Of(Requests.Tenant(request.TenantId));
        return (await FindAsync(tenant, Requests.Id(request.Id), context.CancellationToken).ConfigureAwait(false)).ToWire(tenant.Tenant);
    }

    [Access(AccessKind.Change, Scopes.MappingsWrite)]
    public override async Task<Mapping> UpdateMapping(UpdateMappingRequest request, ServerCallContext context)
    {
        var mapping = Check(request.Mapping);
        var tenant = store.Of(Requests.Tenant(mapping.TenantId, "mapping.tenant_id"));
        var before = await FindAsync(tenant, Requests.Id(mapping.Id), context.CancellationToken).ConfigureAwait(false);
        Call.NoteBefore(before.ToWire(tenant.Tenant));
        var standing = StandingOf(mapping);
        if (standing is not null && standing != before.Updated)
            throw Changed();
        var (began, shadowBegan) = (before.PriceBegan, before.ShadowPriceBegan);
        if (MeterChoice.Follow(mapping, before))
            began = await finder.CompleteAsync(mapping, context.CancellationToken).ConfigureAwait(false);
        if (MeterChoice.FollowShadow(mapping, before))
            shadowBegan = await finder.CompleteShadowAsync(mapping, context.CancellationToken).ConfigureAwait(false);
        else if (mapping.Shadow)
            finder.ShadowOf(mapping);
        Refuse(MappingRules.CheckSink(mapping));
        // Later than before, whatever the clock says, as a change is known by it.
        var updated = Instant.Max(Instant.Of(clock.GetUtcNow()), new Instant(before.Updated.Ticks + 1));
        var stored = mapping.ToDomain(before.Created, updated) with { PriceBegan = began, ShadowPriceBegan = shadowBegan };
        RefuseClash(await tenant.Mappings.UpdateAsync(stored, standing, context.CancellationToken).ConfigureAwait(false), stored);
        await PushAgainAsync(tenant, stored, context.CancellationToken).ConfigureAwait(false);
        return stored.ToWire(tenant.Tenant);
    }

    [Access(AccessKind.Change, Scopes.MappingsWrite)]
    public override async Task<DeleteMappingResponse> DeleteMapping(DeleteMappingRequest request, ServerCallContext context)
    {
        var tenant = store.Of(Requests.Tenant(request.TenantId));
        var before = await FindAsync(tenant, Requests.Id(request.Id), context.CancellationToken).ConfigureAwait(false);
        Call.NoteBefore(before.ToWire(tenant.Tenant));
        return await tenant.Mappings.DeleteAsync(before.Id, context.CancellationToken).ConfigureAwait(false)
            ? new DeleteMappingResponse()
            : throw NotFound(request.Id);
    }

    private static Mapping Check(Mapping? sent)
    {
        if (sent is null)
            throw RpcErrors.Invalid("mapping", "is required");
        var mapping = sent.Clone();
        mapping.Currency = mapping.Currency.ToLowerInvariant();
        Refuse(MappingRules.Check(mapping));
        return mapping;
    }

    private static void Refuse(IReadOnlyList<Metering.Events.FieldError> errors)
    {
        if (errors.Count > 0)
            throw RpcErrors.Invalid(errors);
    }

    private static async Task<StoredMapping> FindAsync(ITenantStore tenant, string id, CancellationToken cancellation) =>
        await tenant.Mappings.GetAsync(id, cancellation).ConfigureAwait(false) ?? throw NotFound(id);

    /// <summary>Which state of the mapping the caller changed, if it says so.</summary>
    private static Instant? StandingOf(Mapping sent)
    {
        if (sent.UpdatedTime is null)
            return null;
        var problem = sent.UpdatedTime.TryToInstant(out var updated);
        return problem is null ? updated : throw RpcErrors.Invalid("mapping.updated_time", problem);
    }

    private static RpcException Changed() =>
        new(new Status(StatusCode.Aborted, "Somebody else changed the mapping meanwhile; try again."));

    private static RpcException NotFound(string id) => RpcErrors.NotFound($"The mapping '{id}'");

    private static void RefuseClash(MappingWrite write, StoredMapping mapping)
    {
        switch (write)
        {
            case MappingWrite.MetricTaken:
                throw RpcErrors.AlreadyExists("METRIC_TAKEN", $"Another active mapping maps the metric '{mapping.Metric}'.");
            case MappingWrite.MeterTaken:
                throw RpcErrors.AlreadyExists("METER_TAKEN", $"Another active mapping feeds the meter {mapping.MeterId} of this account.");
            case MappingWrite.NotFound:
                throw NotFound(mapping.Id);
            case MappingWrite.Changed:
                throw Changed();
        }
    }

    private async Task PushAgainAsync(ITenantStore tenant, StoredMapping mapping, CancellationToken cancellation)
    {
        meters.Forget(mapping.MeterId);
        meters.Forget(mapping.ShadowMeterId);
        await tenant.Projection.MarkDirtyAsync(mapping.Metric, cancellation).ConfigureAwait(false);
        raising.Wake([]);
        subscriptions.Wake();
    }

    private sealed record Cursor(string Id);
}
