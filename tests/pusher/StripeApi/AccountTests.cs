using System.Collections.Concurrent;
using Grpc.Core;
using StripeMeter.Defaults.Billing;
using StripeMeter.Defaults.Configuration;
using StripeMeter.Metering.Pushing;
using StripeMeter.Pusher.StripeApi;
using StripeMeter.Pusher.Tests.Kit;
using StripeMeter.V1;

namespace StripeMeter.Pusher.Tests.StripeApi;

/// <summary>Several Stripe accounts: which key is sent to which, and that no key is told anyone else.</summary>
public sealed class AccountTests
{
    private const string Event = """{"object":"billing.meter_event","identifier":"sm_1","event_name":"e","payload":{},"livemode":false}""";
    private static readonly CancellationToken Never = CancellationToken.None;

    [Theory]
    [InlineData("acct_doubleMain", "Bearer sk_test_main", "")]
    [InlineData("acct_doubleOwn", "Bearer sk_test_own", "")]
    [InlineData("acct_doubleConnected", "Bearer sk_test_main", "acct_doubleConnected")]
    public async Task Of_AnAccount_IsCalledWithItsKeyOrAsAConnectedOne(string account, string authorization, string connected)
    {
        var seen = new ConcurrentQueue<(string, string)>();
        await using var stripe = await StubbedStripe.StartAsync(request =>
        {
            if (request.Path == "/v1/account")
                return (200, """{"object":"account","id":"acct_doubleMain"}""");
            seen.Enqueue((request.Headers.Authorization.ToString(), request.Headers["Stripe-Account"].ToString()));
            return (200, Event);
        });
        using var accounts = Accounts(stripe, new StripeOptions { SecretKey = "sk_test_main", Accounts = Keys("acct_doubleOwn", "sk_test_own") });

        var calls = await accounts.OfAsync(account, livemode: false, Never);
        await calls!.Client.V1.Billing.MeterEvents.CreateAsync(new() { EventName = "e", Payload = [] }, calls.RequestFor(account), Never);

        Assert.Equal((authorization, connected), Assert.Single(seen));
    }

    [Fact]
    public async Task Of_AnotherModeOrAnAccountThatIsElsewhere_IsNobody()
    {
        await using var stripe = await StubbedStripe.StartAsync(_ => (200, """{"object":"account","id":"acct_doubleMain"}"""));
        using var accounts = Accounts(stripe, new StripeOptions { SecretKey = "sk_test_main" });

        Assert.Null(await accounts.OfAsync("acct_doubleMain", livemode: true, Never));
        Assert.Null(await accounts.OfAsync("acct_1", livemode: false, Never));
        Assert.Null(accounts.ShadowOf(StripeCalls.OwnAccount));
    }

    [Fact]
    public async Task Of_AShadowAccount_IsNeverCalledWithALiveKey()
    {
        using var accounts = new StripeAccounts(
            new StripeOptions { SecretKey = "sk_live_main", Accounts = Keys("acct_1", "sk_live_own") },
            new PusherOptions { Account = "acct_main" }, TimeProvider.System);

        Assert.Null(await accounts.OfAsync("acct_main", livemode: false, Never));
        Assert.Null(await accounts.OfAsync("acct_1", livemode: false, Never));
        Assert.IsType<BilledCalls>(await accounts.OfAsync("acct_1", livemode: true, Never));
        Assert.Null(accounts.ShadowOf("acct_1"));
    }

    [Fact]
    public async Task Key_ThatIsRefused_StopsItsAccountAndNoOther()
    {
        await using var stripe = await StubbedStripe.StartAsync(_ => (401, """{"error":{"type":"invalid_request_error","message":"no"}}"""));
        using var accounts = Accounts(stripe, new StripeOptions { Accounts = Keys("acct_doubleOwn", "sk_test_own") });
        var gates = new AccountGates(new PusherOptions(), TimeProvider.System);
        var (own, other) = (new AccountMode("acct_doubleOwn", false), new AccountMode("acct_doubleOther", false));

        gates.Of(own).Report(new AttemptOutcome(AttemptResult.Unauthorized), isAccountLimited: false, isReached: true);

        Assert.False(gates.Of(own).Breaker.TryEnter());
        Assert.True(gates.Of(other).Breaker.TryEnter());
        Assert.True(gates.Of(own with { Livemode = true }).Breaker.TryEnter());
    }

    [Theory]
    [InlineData("STRIPE_SECRET_KEY", "pk_test_secret")]
    [InlineData("STRIPE_SECRET_KEY", "file:/no/such/file")]
    [InlineData("STRIPE_SECRET_KEY", "env:NO_SUCH_NAME")]
    [InlineData("STRIPE_SECRET_KEY", "sk_live_secret")]
    [InlineData("STRIPE_ACCOUNTS", "acct_1=sk_test_secret")]
    [InlineData("STRIPE_ACCOUNTS", "sk_test_secret")]
    [InlineData("STRIPE_ACCOUNTS", "acct_1=env:TEST_KEY,acct_1=env:TEST_KEY")]
    [InlineData("STRIPE_ACCOUNTS", "acct_1=env:LIVE_KEY")]
    [InlineData("STRIPE_TEST_ACCOUNTS", "acct_1=env:LIVE_KEY")]
    [InlineData("STRIPE_WEBHOOK_SECRET", "secret")]
    public async Task Start_WithAKeyThatCannotBe_NamesTheSettingAndNotTheKey(string setting, string value)
    {
        await using var subject = await PusherUnderTest.StartAsync(pushers: 0);

        var refusal = await Assert.ThrowsAsync<InvalidSettingException>(() => subject.StartPusherAsync(
            (setting, value), ("TEST_KEY", "sk_test_1"), ("LIVE_KEY", "sk_live_secret")));

        Assert.StartsWith(setting + ":", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("_secret", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Logs_OfEverythingThatGoesWrong_HoldNoKey()
    {
        string[] secrets = ["sk_test_main51Secret", "rk_test_own51Secret", "sk_test_shadow51Secret", "whsec_51Secret"];
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, secrets[1] + "\n");
        await using var stripe = await StubbedStripe.StartAsync(request =>
            (401, $$$"""{"error":{"type":"invalid_request_error","message":"Invalid key provided: {{{request.Headers.Authorization}}}"}}"""));
        await using var subject = await PusherUnderTest.StartAsync(pushers: 0);
        using var logs = new CapturedLogs();
        await subject.StartPusherAsync(
            logs,
            ("LOG_LEVEL", "Trace"), ("STRIPE_API_BASE", stripe.BaseAddress.ToString()), ("STRIPE_SECRET_KEY", "env:MAIN_KEY"),
            ("MAIN_KEY", secrets[0]), ("STRIPE_ACCOUNTS", $"acct_doubleOwn=file:{file}"), ("STRIPE_TEST_SECRET_KEY", secrets[2]),
            ("STRIPE_WEBHOOK_SECRET", secrets[3]), ("STRIPE_ACCOUNT", "acct_doubleMain"));

        foreach (var account in (string[])["default", "acct_doubleOwn"])
        {
            var refusal = await Assert.ThrowsAsync<RpcException>(() => subject.Mappings.CreateMappingAsync(new CreateMappingRequest
            {
                Mapping = new Mapping
                {
                    TenantId = "acme", Metric = "m", Aggregation = Aggregation.Sum, StripeAccount = account, MeterId = "mtr_1", Active = true,
                },
            }).ResponseAsync);
            Assert.DoesNotContain("51Secret", refusal.ToString(), StringComparison.Ordinal);
        }

        await subject.PushIntoTheVoidAsync("acct_doubleMain");
        await subject.PushIntoTheVoidAsync("acct_doubleOwn");
        await Patience.UntilEqualAsync(2, () => Task.FromResult(logs.Lines.Count(line => line.Contains("Unauthorized", StringComparison.Ordinal) && line.Contains("attempt 1", StringComparison.Ordinal))));
        Assert.All(logs.Lines, line => Assert.DoesNotContain("51Secret", line, StringComparison.Ordinal));
        File.Delete(file);
    }

    private static StripeAccounts Accounts(StubbedStripe stripe, StripeOptions options)
    {
        options.ApiBase = stripe.BaseAddress;
        return new StripeAccounts(options, new PusherOptions(), TimeProvider.System);
    }

    private static Dictionary<string, StripeKey> Keys(string account, string key) => new() { [account] = new StripeKey(key) };
}
