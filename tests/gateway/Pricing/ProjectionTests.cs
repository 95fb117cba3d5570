using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Stripe;
using StripeMeter.Defaults.Hosting;
using StripeMeter.Gateway.Tests.Kit;
using StripeMeter.Pricing;
using StripeMeter.V1;
using Xunit;

namespace StripeMeter.Gateway.Tests.Pricing;

/// <summary>The real pricing service with the real Stripe client, between a stand-in of the services and the Stripe double.</summary>
public sealed class ProjectionTests : IAsyncLifetime
{
    private static readonly Google.Protobuf.WellKnownTypes.Timestamp January = new() { Seconds = 1767225600 };
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 1, 20, 0, 0, 0, TimeSpan.Zero));
    private Backend _backend = null!;
    private PriceBook _stripe = null!;
    private WebApplication _app = null!;
    private GrpcChannel _channel = null!;
    private PricingService.PricingServiceClient _pricing = null!;

    public async ValueTask InitializeAsync()
    {
        _backend = await Backend.StartAsync();
        _stripe = await PriceBook.StartAsync();
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
        await MapAsync("requests", "usd", 0.0003m);

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
        await MapAsync("b", "usd", 7m);
        await MapAsync("a", "usd", 150m);
        await MapAsync("inactive", "usd", 1m);
        _backend.Mappings["a"].Aggregation = Aggregation.Max;
        _backend.Mappings["inactive"].Active = false;

        var projection = await ProjectAsync();

        Assert.Equal([("a", "4", "6.00"), ("b", "0", "0.00")], projection.Lines.Select(line => (line.Metric, line.Quantity, line.Total)));
        Assert.Equal("6.00", projection.Total);
    }

    [Theory]
    [InlineData("graduated", "12.12", "units 1 10.00|flat 1 2.00|units 2 0.12")]
    [InlineData("volume", "12.36", "units 2 12.36")]
    [InlineData("package", "10.35", "packages 0 10.35")]
    public async Task Projection_EveryModel_IsPricedInParts(string model, string total, string parts)
    {
        _backend.CurrentUsage = _ => Usage(Counter("requests", "1031"));
        await MapAsync("requests", "usd", model == "package" ? 5m : null, options => Change(options, model));

        var line = Assert.Single((await ProjectAsync()).Lines);

        Assert.Equal(("", total, ""), (line.UnitPrice, line.Total, line.UnpricedReason));
        Assert.Equal(parts, string.Join('|', line.Parts.Select(part => $"{part.Kind} {part.Tier} {part.Total}")));
        Assert.All(line.Parts, part => Assert.NotEmpty(part.Explanation));
    }

    [Fact]
    public async Task Projection_LicensedPrice_IsUnpricedAndSaysWhy()
    {
        await MapAsync("requests", "usd", 5m, options => Change(options, "licensed"));

        var line = Assert.Single((await ProjectAsync()).Lines);

        Assert.Equal(("", ""), (line.UnitPrice, line.Total));
        Assert.Contains("not metered", line.UnpricedReason, StringComparison.Ordinal);
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
        await MapAsync("requests", "usd", 1_000m);

        var line = Assert.Single((await ProjectAsync()).Lines);

        Assert.Equal(("", ""), (line.UnitPrice, line.Total));
        Assert.Contains("too large", line.UnpricedReason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Projection_ThreeDecimalCurrency_NotesWhatIsNotDocumented()
    {
        await MapAsync("requests", "kwd", 0.0003m);

        var line = Assert.Single((await ProjectAsync()).Lines);

        Assert.Equal("5.418", line.Total);
        Assert.Contains("kwd", line.Note, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Projection_MixedCurrencies_IsAFailedPreconditionThatNamesThem()
    {
        await MapAsync("requests", "usd", 1m);
        await MapAsync("tokens", "eur", 1m);

        var error = await Assert.ThrowsAsync<RpcException>(ProjectAsync);

        Assert.Equal(StatusCode.FailedPrecondition, error.StatusCode);
        Assert.Contains("eur and usd", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Projection_StripeThatDoesNotAnswer_IsUnavailable()
    {
        await MapAsync("requests", "usd", 1m);
        await _stripe.StopAsync();

        var error = await Assert.ThrowsAsync<RpcException>(ProjectAsync);

        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
    }

    [Fact]
    public async Task Projection_ConnectedAccount_IsAskedForItsOwnPrice()
    {
        await MapAsync("mine", "usd", 1m);
        await MapAsync("other", "usd", 1m);
        _backend.Mappings["mine"].StripeAccount = _stripe.AccountId;
        _backend.Mappings["other"].StripeAccount = "acct_other";

        var lines = (await ProjectAsync()).Lines;

        Assert.Equal("0.00", lines[0].Total);
        Assert.Contains("account_invalid", lines[1].UnpricedReason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Prices_AreReadOnceUntilTheyAreOld()
    {
        await MapAsync("requests", "usd", 1m);

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
            await MapAsync($"m{number}", "usd", 1m);

        await ProjectAsync();
        await ProjectAsync();

        // Two of the three are held: at least one is asked for again.
        Assert.InRange(_stripe.Asked, 4, 6);
    }

    [Fact]
    public async Task Prices_AreReadAgainWhenTheyAreRefreshed()
    {
        await MapAsync("requests", "usd", 1m);
        var price = _backend.Mappings["requests"].PriceId;

        await ProjectAsync();
        await _pricing.RefreshPriceAsync(new RefreshPriceRequest { StripeAccount = "default", PriceId = "price_other" });
        await ProjectAsync();
        Assert.Equal(1, _stripe.Asked);

        await _pricing.RefreshPriceAsync(new RefreshPriceRequest { StripeAccount = "default", PriceId = price });
        await ProjectAsync();
        Assert.Equal(2, _stripe.Asked);
    }

    [Fact]
    public async Task RefreshPrice_WithoutPrice_NamesTheField()
    {
        var error = await Assert.ThrowsAsync<RpcException>(() => _pricing.RefreshPriceAsync(new RefreshPriceRequest()).ResponseAsync);

        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
    }

    private Task<GetProjectionResponse> ProjectAsync() =>
        _pricing.GetProjectionAsync(new GetProjectionRequest { TenantId = "acme", CustomerRef = "c" }).ResponseAsync;

    /// <summary>Makes a price at Stripe and maps a metric to it.</summary>
    private async Task MapAsync(string metric, string currency, decimal? unitAmount, Action<PriceCreateOptions>? change = null) =>
        Map(metric, await _stripe.AddAsync(currency, unitAmount, change));

    private void Map(string metric, string price) => _backend.Mappings.Add(metric, new Mapping
    {
        Id = metric,
        TenantId = "acme",
        Metric = metric,
        PriceId = price,
        Aggregation = Aggregation.Sum,
        Active = true,
        StripeAccount = "default",
    });

    private static void Change(PriceCreateOptions options, string model)
    {
        switch (model)
        {
            case "package":
                options.TransformQuantity = new PriceTransformQuantityOptions { DivideBy = 5, Round = "up" };
                break;
            case "licensed":
                options.Recurring = new PriceRecurringOptions { Interval = "month", UsageType = "licensed" };
                break;
            default:
                options.BillingScheme = "tiered";
                options.TiersMode = model;
                options.Tiers =
                [
                    new PriceTierOptions { UpTo = 1000, UnitAmountDecimal = 1m, FlatAmount = 200 },
                    new PriceTierOptions { UpTo = PriceTierUpTo.Inf, UnitAmountDecimal = model == "volume" ? 1.199m : 0.4m },
                ];
                break;
        }
    }

    private static GetCurrentUsageResponse Usage(params Counter[] counters) =>
        new() { PeriodStart = January, PeriodEnd = new() { Seconds = 1769904000 }, Counters = { counters } };

    private static Counter Counter(string metric, string sum) => new()
    {
        Metric = metric, Sum = sum, Count = 3, Min = "1", Max = "4", Last = "2", Watermark = January,
        ProjectedTime = new() { Seconds = 1767225700 },
    };

    /// <summary>Measures ages by the test's clock, but tells the real time, which deadlines need.</summary>
    private sealed class CacheClock(FakeTimeProvider clock) : TimeProvider
    {
        public override long TimestampFrequency => clock.TimestampFrequency;

        public override long GetTimestamp() => clock.GetTimestamp();
    }
}
