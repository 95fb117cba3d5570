using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using StripeMeter.Defaults.Hosting;
using StripeMeter.Gateway.Tests.Kit;
using StripeMeter.Pricing;
using StripeMeter.V1;
using Xunit;

namespace StripeMeter.Gateway.Tests.Pricing;

/// <summary>The real pricing service with the real Stripe client, between stand-ins of the services and of Stripe's prices.</summary>
public sealed class ProjectionTests : IAsyncLifetime
{
    private static readonly Google.Protobuf.WellKnownTypes.Timestamp January = new() { Seconds = 1767225600 };
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 1, 20, 0, 0, 0, TimeSpan.Zero));
    private Backend _backend = null!;
    private PriceList _stripe = null!;
    private WebApplication _app = null!;
    private GrpcChannel _channel = null!;
    private PricingService.PricingServiceClient _pricing = null!;

    public async ValueTask InitializeAsync()
    {
        _backend = await Backend.StartAsync();
        _stripe = await PriceList.StartAsync();
        _app = PricingApp.Build([], new Dictionary<string, string?>
        {
            ["APP_PORT"] = "0",
            ["PROBE_PORT"] = "0",
            ["LOG_LEVEL"] = "critical",
            ["DAPR_GRPC_ENDPOINT"] = _backend.GrpcEndpoint,
            ["DAPR_HTTP_ENDPOINT"] = _backend.HttpEndpoint,
            ["STRIPE_API_BASE"] = _stripe.Address,
            ["PRICE_CACHE_SECONDS"] = "300",
            ["PRICE_CACHE_ENTRIES"] = "2",
        }, builder => builder.Services.AddSingleton<TimeProvider>(new CacheClock(_clock)));
        await _app.StartAsync();
        _channel = GrpcChannel.ForAddress($"http://127.0.0.1:{_app.AppPort()}");
        _pricing = new PricingService.PricingServiceClient(_channel);
        _backend.CurrentUsage = _ => Usage(Counter("requests", "18059974"));
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _app.DisposeAsync();
        await _stripe.DisposeAsync();
        await _backend.DisposeAsync();
    }

    [Fact]
    public async Task Projection_PerUnitPrice_IsPricedAsStripeRounds()
    {
        Map("requests", "price_1");
        _stripe.Prices[("", "price_1")] = Price("usd", "0.0003");

        var projection = await ProjectAsync();

        var line = Assert.Single(projection.Lines);
        Assert.Equal(("18059974", "0.000003", "54.18", ""), (line.Quantity, line.UnitPrice, line.Total, line.UnpricedReason));
        Assert.Equal(("54.18", "0", "54.18", "usd"), (projection.Subtotal, projection.Credits, projection.Total, projection.Currency));
        Assert.Equal(January, projection.NewestEventTime);
        Assert.Equal(new() { Seconds = 1767225700 }, projection.UpdatedTime);
        Assert.Equal(["aggregator", "pusher"], _backend.Called.Order());
    }

    [Fact]
    public async Task Projection_Lines_FollowTheMappingsAndAreSummed()
    {
        _backend.CurrentUsage = _ => Usage(Counter("a", "10"), Counter("unmapped", "5"));
        Map("b", "price_2");
        Map("a", "price_1", Aggregation.Max);
        Map("inactive", "price_3", active: false);
        _stripe.Prices[("", "price_1")] = Price("usd", "150");
        _stripe.Prices[("", "price_2")] = Price("usd", "7");

        var projection = await ProjectAsync();

        Assert.Equal([("a", "4", "6.00"), ("b", "0", "0.00")], projection.Lines.Select(line => (line.Metric, line.Quantity, line.Total)));
        Assert.Equal("6.00", projection.Total);
    }

    public static TheoryData<string, string> UnpricedModels => new()
    {
        { Price("usd", null, "\"billing_scheme\":\"tiered\",\"tiers_mode\":\"graduated\""), "tiered (graduated)" },
        { Price("usd", null, "\"billing_scheme\":\"tiered\",\"tiers_mode\":\"volume\""), "tiered (volume)" },
        { Price("usd", "5", "\"transform_quantity\":{\"divide_by\":5,\"round\":\"up\"}"), "package" },
        { Price("usd", "5", "\"recurring\":{\"interval\":\"month\",\"usage_type\":\"licensed\"}"), "not metered" },
        { Price("usd", null), "no unit amount" },
    };

    [Theory]
    [MemberData(nameof(UnpricedModels))]
    public async Task Projection_OtherModel_IsUnpricedAndSaysWhy(string price, string reason)
    {
        Map("requests", "price_1");
        _stripe.Prices[("", "price_1")] = price;

        var line = Assert.Single((await ProjectAsync()).Lines);

        Assert.Equal(("", ""), (line.UnitPrice, line.Total));
        Assert.Contains(reason, line.UnpricedReason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Projection_MappingWithoutOrWithUnknownPrice_IsUnpriced()
    {
        Map("requests", "");
        Map("tokens", "price_gone");

        var lines = (await ProjectAsync()).Lines;

        Assert.Contains("names no price", lines[0].UnpricedReason, StringComparison.Ordinal);
        Assert.Contains("resource_missing", lines[1].UnpricedReason, StringComparison.Ordinal);
        Assert.All(lines, line => Assert.Empty(line.Total));
    }

    [Fact]
    public async Task Projection_AmountThatDoesNotFit_IsUnpriced()
    {
        _backend.CurrentUsage = _ => Usage(Counter("requests", "99999999999999999999999999"));
        Map("requests", "price_1");
        _stripe.Prices[("", "price_1")] = Price("usd", "1000");

        var line = Assert.Single((await ProjectAsync()).Lines);

        Assert.Equal(("", ""), (line.UnitPrice, line.Total));
        Assert.Contains("too large", line.UnpricedReason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Projection_ThreeDecimalCurrency_NotesWhatIsNotDocumented()
    {
        Map("requests", "price_1");
        _stripe.Prices[("", "price_1")] = Price("kwd", "0.0003");

        var line = Assert.Single((await ProjectAsync()).Lines);

        Assert.Equal("5.418", line.Total);
        Assert.Contains("kwd", line.Note, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Projection_MixedCurrencies_IsAFailedPreconditionThatNamesThem()
    {
        Map("requests", "price_1");
        Map("tokens", "price_2");
        _stripe.Prices[("", "price_1")] = Price("usd", "1");
        _stripe.Prices[("", "price_2")] = Price("eur", "1");

        var error = await Assert.ThrowsAsync<RpcException>(ProjectAsync);

        Assert.Equal(StatusCode.FailedPrecondition, error.StatusCode);
        Assert.Contains("eur and usd", error.Status.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(429)]
    public async Task Projection_StripeThatFails_IsUnavailable(int status)
    {
        Map("requests", "price_1");
        _stripe.FailWith = status;

        var error = await Assert.ThrowsAsync<RpcException>(ProjectAsync);

        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
    }

    [Fact]
    public async Task Projection_ConnectedAccount_IsAskedForItsOwnPrice()
    {
        Map("requests", "price_1", account: "acct_9");
        _stripe.Prices[("acct_9", "price_1")] = Price("usd", "1");

        Assert.NotEmpty(Assert.Single((await ProjectAsync()).Lines).Total);
    }

    [Fact]
    public async Task Prices_AreReadOnceUntilTheyAreOld()
    {
        Map("requests", "price_1");
        _stripe.Prices[("", "price_1")] = Price("usd", "1");

        await ProjectAsync();
        _clock.Advance(TimeSpan.FromSeconds(299));
        await ProjectAsync();
        Assert.Equal(1, _stripe.Asked);

        _clock.Advance(TimeSpan.FromSeconds(2));
        await ProjectAsync();
        Assert.Equal(2, _stripe.Asked);
    }

    [Fact]
    public async Task Prices_HeldAreNeverMoreThanTheLimit()
    {
        foreach (var number in (int[])[1, 2, 3])
        {
            Map($"m{number}", $"price_{number}");
            _stripe.Prices[("", $"price_{number}")] = Price("usd", "1");
        }

        await ProjectAsync();
        await ProjectAsync();

        // Two of the three are held: at least one is asked for again.
        Assert.InRange(_stripe.Asked, 4, 6);
    }

    private Task<GetProjectionResponse> ProjectAsync() =>
        _pricing.GetProjectionAsync(new GetProjectionRequest { TenantId = "acme", CustomerRef = "c" }).ResponseAsync;

    private void Map(
        string metric, string price, Aggregation aggregation = Aggregation.Sum, bool active = true, string account = "default") =>
        _backend.Mappings.Add(metric, new Mapping
        {
            Id = metric, TenantId = "acme", Metric = metric, PriceId = price, Aggregation = aggregation, Active = active, StripeAccount = account,
        });

    private static GetCurrentUsageResponse Usage(params Counter[] counters) =>
        new() { PeriodStart = January, PeriodEnd = new() { Seconds = 1769904000 }, Counters = { counters } };

    private static Counter Counter(string metric, string sum) => new()
    {
        Metric = metric, Sum = sum, Count = 3, Min = "1", Max = "4", Last = "2", Watermark = January,
        ProjectedTime = new() { Seconds = 1767225700 },
    };

    private static string Price(string currency, string? unitAmount, string? more = null)
    {
        var amount = unitAmount is null ? "null" : $"\"{unitAmount}\"";
        var metered = more?.Contains("recurring", StringComparison.Ordinal) == true ? "" : ",\"recurring\":{\"interval\":\"month\",\"usage_type\":\"metered\"}";
        return $$"""{"id":"price","object":"price","currency":"{{currency}}","unit_amount_decimal":{{amount}}{{metered}}{{(more is null ? "" : "," + more)}}}""";
    }

    /// <summary>Measures ages by the test's clock, but tells the real time, which deadlines need.</summary>
    private sealed class CacheClock(FakeTimeProvider clock) : TimeProvider
    {
        public override long TimestampFrequency => clock.TimestampFrequency;

        public override long GetTimestamp() => clock.GetTimestamp();
    }
}
