using StripeMeter.Pusher.Tests.Kit;
using StripeMeter.StripeDouble.Faults;
using StripeMeter.V1;
using IntentState = StripeMeter.Metering.Pushing.IntentState;

namespace StripeMeter.Pusher.Tests.Pushing;

/// <summary>What goes wrong at Stripe and on the way there changes no total.</summary>
public sealed class FaultTests
{
    public static TheoryData<string> Faults => ["reply lost", "500 after", "500 before", "429", "429 of the account", "409"];

    [Theory, MemberData(nameof(Faults))]
    public async Task Push_WithAFault_IsToldOnce(string fault)
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var mapping = await subject.MapAsync("api_calls");
        Set(subject.Double.Faults, fault, times: 2);

        await subject.CountAsync("api_calls", "cus_1", "7");

        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "7");
        await subject.CountAsync("api_calls", "cus_1", "1");
        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "8");
        Assert.Equal(2, subject.Double.ReadEvents().Count);
    }

    [Fact]
    public async Task Push_WhileAMeterTakesNothing_OthersAreToldAndItIsShown()
    {
        await using var subject = await PusherUnderTest.StartAsync(1, ("STRIPE_CONCURRENT_PUSHES", "2"));
        var stuck = await subject.MapAsync("stuck");
        var mapping = await subject.MapAsync("api_calls");
        await subject.Stripe.V1.Billing.Meters.DeactivateAsync(stuck.MeterId);
        for (var customer = 0; customer < 10; customer++)
            await subject.CountAsync("stuck", $"cus_{customer}", "1");
        await Patience.UntilAsync(async () => (await subject.DocumentAsync(stuck.MeterId, "cus_9"))?.HeldUntil is not null);

        await subject.CountAsync("api_calls", "cus_1", "1");

        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "1");
        var deltas = await subject.Pushes.ListDeltasAsync(new ListDeltasRequest { TenantId = PusherUnderTest.Tenant, Metric = "stuck" });
        Assert.All(deltas.Deltas, delta => Assert.Contains("not active", delta.Problem, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Push_WhileTheDoubleRestarts_IsToldOnce()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var mapping = await subject.MapAsync("api_calls");
        await subject.CountAsync("api_calls", "cus_1", "7");
        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "7");
        var account = subject.Double.AccountId;

        await subject.Double.DisposeAsync();
        await subject.CountAsync("api_calls", "cus_1", "1");
        await Patience.UntilAsync(async () => (await subject.DocumentAsync(mapping.MeterId, "cus_1"))!.Open is not null);
        await subject.StartDoubleAsync();

        Assert.Equal(account, subject.Double.AccountId);
        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "8");
    }

    [Fact]
    public async Task Push_WhenThePusherEndsWithAnEventOnItsWay_IsToldOnce()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var mapping = await subject.MapAsync("api_calls");
        using (var held = subject.Double.Faults.HoldEvents())
        {
            await subject.CountAsync("api_calls", "cus_1", "7");
            await held.ArrivedAsync().WaitAsync(TimeSpan.FromSeconds(20));
            await subject.StopPushersAsync();
        }

        var left = await subject.DocumentAsync(mapping.MeterId, "cus_1");
        Assert.Equal(IntentState.Ambiguous, left!.Open!.State);
        await subject.StartPusherAsync();

        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "7");
        Assert.Single(subject.Double.ReadEvents());
    }

    [Fact]
    public async Task Push_WithTwoPushers_IsToldOnce()
    {
        const int customers = 20;
        await using var subject = await PusherUnderTest.StartAsync(pushers: 2);
        var mapping = await subject.MapAsync("api_calls");
        subject.Double.Faults.LoseReplies(5);
        subject.Double.Faults.Conflict(5);
        for (var round = 0; round < 3; round++)
        {
            for (var customer = 0; customer < customers; customer++)
                await subject.CountAsync("api_calls", $"cus_{customer}", "1.5");
        }

        for (var customer = 0; customer < customers; customer++)
            await subject.UntilToldAsync(mapping.MeterId, $"cus_{customer}", "4.5");
    }

    private static void Set(StripeDoubleFaults faults, string fault, int times)
    {
        switch (fault)
        {
            case "reply lost": faults.LoseReplies(times); break;
            case "500 after": faults.FailAfterCommit(times); break;
            case "500 before": faults.FailBeforeCommit(times); break;
            case "429": faults.RateLimit(times, reason: null); break;
            case "429 of the account": faults.RateLimit(times); break;
            default: faults.Conflict(times); break;
        }
    }
}
