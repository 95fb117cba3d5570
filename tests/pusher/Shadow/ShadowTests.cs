using Grpc.Core;
using StripeMeter.Defaults.Billing;
using StripeMeter.Defaults.Configuration;
using StripeMeter.Pusher.Tests.Kit;
using StripeMeter.V1;

namespace StripeMeter.Pusher.Tests.Shadow;

/// <summary>Usage that is pushed to a test account beside the billed one.</summary>
[Collection(nameof(WholeProcess))]
public sealed class ShadowTests
{
    [Fact]
    public async Task Push_OfAShadow_TellsBothAccountsAndLeavesTheBilledLedger()
    {
        await using var account = await TestAccount.StartAsync();
        await using var subject = await PusherUnderTest.StartAsync(1, account.Settings);
        var meter = await account.CreateMeterAsync("shadow_calls");
        var mapping = await subject.MapAsync("api_calls", change: mapping =>
        {
            (mapping.Shadow, mapping.ShadowMeterId) = (true, meter.Id);
            mapping.ShadowCustomerRule = new CustomerRule { Table = { ["cus_1"] = "cus_test" } };
        });

        await subject.CountAsync("api_calls", "cus_1", "7");

        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "7");
        await Patience.UntilEqualAsync(("cus_test", "7"), () => Task.FromResult(account.Told.SingleOrDefault()));
        await subject.CountAsync("api_calls", "cus_1", "-2.5");
        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "4.5");
        await Patience.UntilEqualAsync(2, () => Task.FromResult(account.Told.Count()));
        Assert.Equal(["7", "-2.5"], subject.Double.ReadEvents().Select(taken => taken.Value));
        Assert.All(subject.Double.ReadEvents(), taken => Assert.Equal("cus_1", taken.Customer));
        var billed = await subject.DocumentAsync(mapping.MeterId, "cus_1");
        Assert.Equal((2L, "4.5"), (billed!.Minted, Assert.Single(billed.Periods).Accepted.ToString()));
        Assert.Equal(("default", "shadow_calls"), (mapping.ShadowStripeAccount, mapping.ShadowMeterEventName));

        await Patience.UntilEqualAsync("4.5", async () => (await CompareAsync(subject)).ShadowAccepted);
        var compared = await CompareAsync(subject);
        Assert.Equal(
            ("api_calls", "cus_1", "cus_test", "4.5", "4.5", "4.5", "0"),
            (compared.Metric, compared.StripeCustomer, compared.ShadowStripeCustomer, compared.Target, compared.Accepted,
                compared.ShadowTarget, compared.Difference));
        var posts = Assert.Single(await subject.MetricAsync("shadow_usage_posts_total"));
        Assert.Contains("tenant=\"acme\"", posts, StringComparison.Ordinal);
        Assert.Contains("metric=\"api_calls\"", posts, StringComparison.Ordinal);
        Assert.Contains("} 2", posts, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Push_WhileTheTestAccountTakesNothing_TellsTheBilledOne()
    {
        await using var account = await TestAccount.StartAsync();
        await using var subject = await PusherUnderTest.StartAsync(1, account.Settings);
        var meter = await account.CreateMeterAsync("shadow_calls");
        var mapping = await subject.MapAsync("api_calls", change: mapping => (mapping.Shadow, mapping.ShadowMeterId) = (true, meter.Id));
        account.Double.Faults.FailBeforeCommit(1_000);

        await subject.CountAsync("api_calls", "cus_1", "7");

        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "7");
        await Patience.UntilAsync(async () => (await subject.MetricsAsync()).Contains("reason=\"unknown\"", StringComparison.Ordinal));
        Assert.Equal("0", (await CompareAsync(subject)).ShadowAccepted);
        account.Double.Faults.Clear();
        await Patience.UntilEqualAsync("7", async () => (await CompareAsync(subject)).ShadowAccepted);
    }

    [Fact]
    public async Task Push_WhileMoreShadowsThanAPageHaveNoAccount_TellsTheOthers()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var mapping = await subject.MapAsync("api_calls");
        var told = (await subject.Store.Mappings.GetAsync(mapping.Id, CancellationToken.None))!;
        // As it is once the key of the test account has been taken away.
        await subject.Store.Mappings.CreateAsync(
            told with
            {
                Id = "shadowed", Metric = "shadowed", MeterId = "mtr_other", Customers = new() { TableOnly = true },
                Shadow = true, ShadowMeterId = "mtr_shadow", ShadowCustomers = new(),
            },
            CancellationToken.None);
        for (var number = 0; number < new PusherOptions().CounterPage; number++)
            await subject.CountAsync("shadowed", $"cus_{number}", "1");

        await subject.CountAsync("api_calls", "cus_1", "7");

        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "7");
    }

    [Fact]
    public async Task Create_WithoutATestKey_IsRefusedWhateverElseIsThere()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var meter = await subject.CreateMeterAsync("shadow_calls");

        var refusal = await Assert.ThrowsAsync<RpcException>(() =>
            subject.MapAsync("api_calls", change: mapping => (mapping.Shadow, mapping.ShadowMeterId) = (true, meter.Id)));

        Assert.Equal(StatusCode.FailedPrecondition, refusal.StatusCode);
        Assert.Contains("STRIPE_TEST_SECRET_KEY", refusal.Status.Detail, StringComparison.Ordinal);
        Assert.Empty((await subject.Mappings.ListMappingsAsync(new ListMappingsRequest { TenantId = PusherUnderTest.Tenant })).Mappings);
    }

    [Fact]
    public async Task Create_OntoTheMeterThatIsBilled_IsRefused()
    {
        await using var subject = await PusherUnderTest.StartAsync(1, ("STRIPE_TEST_SECRET_KEY", "sk_test_shadow"));

        var refusal = await Assert.ThrowsAsync<RpcException>(() =>
            subject.MapAsync("api_calls", change: mapping => (mapping.Shadow, mapping.ShadowMeterId) = (true, mapping.MeterId)));

        Assert.Contains("meter of its own", refusal.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_WithoutTheTestKeyOfAShadow_IsRefused()
    {
        await using var account = await TestAccount.StartAsync();
        await using var subject = await PusherUnderTest.StartAsync(1, account.Settings);
        var meter = await account.CreateMeterAsync("shadow_calls");
        var mapping = await subject.MapAsync("api_calls", change: mapping => (mapping.Shadow, mapping.ShadowMeterId) = (true, meter.Id));
        await subject.StopPushersAsync();

        var refusal = await Assert.ThrowsAsync<InvalidSettingException>(() => subject.StartPusherAsync());

        Assert.StartsWith("STRIPE_TEST_SECRET_KEY", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(mapping.Id, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Update_BeginningAShadowThatWasNamedBefore_ReadsItsMeter()
    {
        await using var account = await TestAccount.StartAsync();
        await using var subject = await PusherUnderTest.StartAsync(1, account.Settings);
        var meter = await account.CreateMeterAsync("shadow_calls");
        var mapping = await subject.MapAsync("api_calls", change: mapping => mapping.ShadowMeterId = meter.Id);
        Assert.Equal("", mapping.ShadowMeterEventName);

        mapping.Shadow = true;
        var updated = await subject.Mappings.UpdateMappingAsync(new UpdateMappingRequest { Mapping = mapping });
        await subject.CountAsync("api_calls", "cus_1", "7");

        Assert.Equal(("shadow_calls", MeterSink.Deltas), (updated.ShadowMeterEventName, updated.ShadowMeterSink));
        await Patience.UntilEqualAsync(("cus_1", "7"), () => Task.FromResult(account.Told.SingleOrDefault()));
    }

    [Fact]
    public async Task Update_EndingTheShadow_NeedsNoTestKeyAndEndsItsPushes()
    {
        await using var account = await TestAccount.StartAsync();
        await using var subject = await PusherUnderTest.StartAsync(1, account.Settings);
        var meter = await account.CreateMeterAsync("shadow_calls");
        var mapping = await subject.MapAsync("api_calls", change: mapping => (mapping.Shadow, mapping.ShadowMeterId) = (true, meter.Id));
        await subject.CountAsync("api_calls", "cus_1", "7");
        await Patience.UntilEqualAsync(1, () => Task.FromResult(account.Told.Count()));

        mapping.Shadow = false;
        await subject.Mappings.UpdateMappingAsync(new UpdateMappingRequest { Mapping = mapping });
        await subject.CountAsync("api_calls", "cus_1", "1");

        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "8");
        Assert.Single(account.Told);
    }

    [Theory, InlineData("sk_live_1"), InlineData("rk_live_1"), InlineData("sk_1")]
    public void TestKey_OfAnythingButATestKey_IsNone(string key)
    {
        Assert.Throws<ArgumentException>(() => new StripeTestKey(new StripeKey(key)));
    }

    [Fact]
    public async Task Start_WithALiveKeyForTheShadow_IsRefused()
    {
        await using var subject = await PusherUnderTest.StartAsync(pushers: 0);

        var refusal = await Assert.ThrowsAsync<InvalidSettingException>(() => subject.StartPusherAsync(("STRIPE_TEST_SECRET_KEY", "sk_live_secret")));

        Assert.StartsWith("STRIPE_TEST_SECRET_KEY", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refusal.Message[22..], StringComparison.Ordinal);
    }

    private static async Task<ShadowComparison> CompareAsync(PusherUnderTest subject) =>
        Assert.Single((await subject.Pushes.CompareShadowAsync(new CompareShadowRequest { TenantId = PusherUnderTest.Tenant })).Comparisons);
}
