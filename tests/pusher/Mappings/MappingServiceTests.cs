using Google.Rpc;
using Grpc.Core;
using StripeMeter.Pusher.Tests.Kit;
using StripeMeter.V1;

namespace StripeMeter.Pusher.Tests.Mappings;

public sealed class MappingServiceTests
{
    [Fact]
    public async Task Create_ByPrice_ReadsTheMeterAndTheCurrency()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var meter = await subject.CreateMeterAsync("api_calls");
        var price = await subject.CreatePriceAsync(meter.Id);

        var created = await CreateAsync(subject, mapping => mapping.PriceId = price.Id);

        Assert.StartsWith("map_", created.Id, StringComparison.Ordinal);
        Assert.Equal(
            (meter.Id, "api_calls", "stripe_customer_id", "value", "usd"),
            (created.MeterId, created.MeterEventName, created.MeterCustomerKey, created.MeterValueKey, created.Currency));
        Assert.Equal(created, await subject.Mappings.GetMappingAsync(new GetMappingRequest { TenantId = "acme", Id = created.Id }));
    }

    [Fact]
    public async Task Create_ByEventName_FindsTheMeter()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        for (var number = 0; number < 120; number++)
            await subject.CreateMeterAsync($"meter_{number}");

        var created = await CreateAsync(subject, mapping => mapping.MeterEventName = "meter_3");

        Assert.StartsWith("mtr_", created.MeterId, StringComparison.Ordinal);
        var refusal = await RefusedAsync(() => CreateAsync(subject, mapping => (mapping.Metric, mapping.MeterEventName) = ("other", "none")));
        AssertField(refusal, "mapping.meter_event_name", "not that of an active meter");
    }

    [Fact]
    public async Task Create_NamingTheKeysOwnAccount_IsKeptAsDefault()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var meter = await subject.CreateMeterAsync("api_calls");

        var created = await CreateAsync(subject, mapping => (mapping.MeterId, mapping.StripeAccount) = (meter.Id, subject.Double.AccountId));

        Assert.Equal("default", created.StripeAccount);
    }

    [Theory, InlineData("count", null, "counts events"), InlineData("last", "hour", "does not say")]
    public async Task Create_OntoAMeterThatCannotBeTold_SaysWhy(string formula, string? window, string reason)
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var meter = await subject.CreateMeterAsync("api_calls", formula, window);

        var refusal = await RefusedAsync(() => CreateAsync(subject, mapping => mapping.MeterId = meter.Id));

        AssertField(refusal, "mapping.meter_id", reason);
    }

    [Fact]
    public async Task Create_OntoWhatIsNotThere_NamesTheField()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var meter = await subject.CreateMeterAsync("api_calls");
        var price = await subject.CreatePriceAsync(meter.Id);
        var other = await subject.CreateMeterAsync("other");

        AssertField(await RefusedAsync(() => CreateAsync(subject, mapping => mapping.MeterId = "mtr_none")), "mapping.meter_id", "does not exist");
        AssertField(await RefusedAsync(() => CreateAsync(subject, mapping => mapping.PriceId = "price_none")), "mapping.price_id", "does not exist");
        AssertField(
            await RefusedAsync(() => CreateAsync(subject, mapping => (mapping.PriceId, mapping.MeterId) = (price.Id, other.Id))),
            "mapping.meter_id", "is not the meter of the price");
        AssertField(
            await RefusedAsync(() => CreateAsync(subject, mapping => (mapping.PriceId, mapping.Currency) = (price.Id, "eur"))),
            "mapping.currency", "usd");
        await subject.Stripe.V1.Billing.Meters.DeactivateAsync(meter.Id);
        AssertField(await RefusedAsync(() => CreateAsync(subject, mapping => mapping.MeterId = meter.Id)), "mapping.meter_id", "not active");
    }

    [Fact]
    public async Task Create_WithEveryFieldWrong_NamesThemAll()
    {
        await using var subject = await PusherUnderTest.StartAsync();

        var refusal = await RefusedAsync(() => CreateAsync(subject, mapping =>
        {
            (mapping.Metric, mapping.Aggregation, mapping.StripeAccount) = ("", Aggregation.Unspecified, "mine");
            (mapping.PriceId, mapping.MeterId, mapping.SubscriptionItemId) = ("pri_1", "meter", "item");
            (mapping.Currency, mapping.Shadow, mapping.ShadowStripeAccount) = ("dollars", true, "x");
            mapping.CustomerRule = new CustomerRule { Table = { ["ref"] = "" } };
        }));

        Assert.Equal(
            [
                "mapping.metric", "mapping.aggregation", "mapping.stripe_account", "mapping.price_id", "mapping.meter_id",
                "mapping.subscription_item_id", "mapping.currency", "mapping.shadow_price_id", "mapping.shadow_stripe_account",
                "mapping.customer_rule.table",
            ],
            Violations(refusal).Select(violation => violation.Field));
        AssertField(await RefusedAsync(() => CreateAsync(subject, _ => { })), "mapping.price_id", "is required");
        AssertField(await RefusedAsync(() => CreateAsync(subject, mapping => mapping.TenantId = "")), "mapping.price_id", "is required");
        AssertField(
            await RefusedAsync(() => CreateAsync(subject, mapping => (mapping.TenantId, mapping.MeterId) = ("\n", "mtr_1"))),
            "mapping.tenant_id", "printable");
    }

    [Fact]
    public async Task Create_AMetricOrMeterThatIsTaken_IsRefusedAcrossTenants()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var first = await subject.MapAsync("api_calls");
        var other = await subject.CreateMeterAsync("other");

        var metric = await RefusedAsync(() => CreateAsync(subject, mapping => mapping.MeterId = other.Id), StatusCode.AlreadyExists);
        var meter = await RefusedAsync(
            () => CreateAsync(subject, mapping => (mapping.TenantId, mapping.MeterId) = ("rival", first.MeterId)), StatusCode.AlreadyExists);

        Assert.Equal("METRIC_TAKEN", metric.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason);
        Assert.Equal("METER_TAKEN", meter.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason);
    }

    [Fact]
    public async Task Update_ANewPrice_FollowsItToItsMeter()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var mapping = await subject.MapAsync("api_calls");
        var meter = await subject.CreateMeterAsync("api_calls_2");
        mapping.PriceId = (await subject.CreatePriceAsync(meter.Id)).Id;

        var updated = await subject.Mappings.UpdateMappingAsync(new UpdateMappingRequest { Mapping = mapping });

        Assert.Equal((meter.Id, "api_calls_2"), (updated.MeterId, updated.MeterEventName));
        Assert.True(updated.UpdatedTime.ToDateTime() > mapping.UpdatedTime.ToDateTime());
        Assert.Equal(mapping.CreatedTime, updated.CreatedTime);
    }

    [Fact]
    public async Task Update_OfAStateThatIsPast_IsAborted_UnlessNoneIsNamed()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var mapping = await subject.MapAsync("api_calls");
        var ended = mapping.Clone();
        ended.Active = false;
        await subject.Mappings.UpdateMappingAsync(new UpdateMappingRequest { Mapping = ended });
        mapping.Currency = "usd";

        await RefusedAsync(() => subject.Mappings.UpdateMappingAsync(new UpdateMappingRequest { Mapping = mapping }).ResponseAsync, StatusCode.Aborted);
        Assert.False((await subject.Mappings.GetMappingAsync(new GetMappingRequest { TenantId = mapping.TenantId, Id = mapping.Id })).Active);

        mapping.UpdatedTime = null;
        Assert.True((await subject.Mappings.UpdateMappingAsync(new UpdateMappingRequest { Mapping = mapping })).Active);
    }

    [Fact]
    public async Task Update_NothingOfTheMeter_NeedsNoStripe()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var mapping = await subject.MapAsync("api_calls");
        await subject.Double.DisposeAsync();
        mapping.Active = false;

        mapping = await subject.Mappings.UpdateMappingAsync(new UpdateMappingRequest { Mapping = mapping });
        Assert.False(mapping.Active);
        mapping.MeterId = "mtr_other";
        await RefusedAsync(() => subject.Mappings.UpdateMappingAsync(new UpdateMappingRequest { Mapping = mapping }).ResponseAsync, StatusCode.Unavailable);
    }

    [Fact]
    public async Task List_InPages_IsOfTheTenantAlone()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var created = new List<string>();
        foreach (var metric in (string[])["a", "b", "c"])
            created.Add((await subject.MapAsync(metric)).Id);

        var request = new ListMappingsRequest { TenantId = "acme", PageSize = 2 };
        var first = await subject.Mappings.ListMappingsAsync(request);
        request.PageToken = first.NextPageToken;
        var second = await subject.Mappings.ListMappingsAsync(request);

        Assert.Equal(created, first.Mappings.Concat(second.Mappings).Select(mapping => mapping.Id));
        Assert.Empty(second.NextPageToken);
        Assert.Empty((await subject.Mappings.ListMappingsAsync(new ListMappingsRequest { TenantId = "rival" })).Mappings);
        Assert.Single((await subject.Mappings.ListMappingsAsync(new ListMappingsRequest { TenantId = "acme", Metric = "b" })).Mappings);
        request.PageToken = "not a token";
        await RefusedAsync(() => subject.Mappings.ListMappingsAsync(request).ResponseAsync);
    }

    [Fact]
    public async Task Delete_WhatIsNotThere_IsNotFound()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var mapping = await subject.MapAsync("api_calls");
        Task<DeleteMappingResponse> DeleteAsync(string tenant) =>
            subject.Mappings.DeleteMappingAsync(new DeleteMappingRequest { TenantId = tenant, Id = mapping.Id }).ResponseAsync;

        await RefusedAsync(() => DeleteAsync("rival"), StatusCode.NotFound);
        await DeleteAsync("acme");
        await RefusedAsync(() => DeleteAsync("acme"), StatusCode.NotFound);
    }

    [Fact]
    public async Task Create_WithoutStripe_SaysSo()
    {
        await using var subject = await PusherUnderTest.StartAsync(1, ("STRIPE_API_BASE", "https://api.stripe.com"));

        var refusal = await RefusedAsync(() => CreateAsync(subject, mapping => mapping.MeterId = "mtr_1"), StatusCode.FailedPrecondition);

        Assert.Equal("NO_STRIPE_KEY", refusal.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason);
    }

    private static Task<Mapping> CreateAsync(PusherUnderTest subject, Action<Mapping> change)
    {
        var mapping = new Mapping
        {
            TenantId = "acme", Metric = "api_calls", Aggregation = Aggregation.Sum, StripeAccount = "default", Active = true,
        };
        change(mapping);
        return subject.Mappings.CreateMappingAsync(new CreateMappingRequest { Mapping = mapping }).ResponseAsync;
    }

    private static async Task<RpcException> RefusedAsync<T>(Func<Task<T>> call, StatusCode status = StatusCode.InvalidArgument)
    {
        var refusal = await Assert.ThrowsAsync<RpcException>(call);
        Assert.Equal((status, refusal.Status.Detail), (refusal.StatusCode, refusal.Status.Detail));
        return refusal;
    }

    private static void AssertField(RpcException refusal, string field, string reason)
    {
        var violation = Assert.Single(Violations(refusal));
        Assert.Equal(field, violation.Field);
        Assert.Contains(reason, violation.Description, StringComparison.Ordinal);
    }

    private static Google.Protobuf.Collections.RepeatedField<BadRequest.Types.FieldViolation> Violations(RpcException refusal) =>
        refusal.GetRpcStatus()!.GetDetail<BadRequest>()!.FieldViolations;
}
