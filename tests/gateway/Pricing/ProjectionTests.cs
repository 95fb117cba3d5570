using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Stripe;
using StripeMeter.Gateway.Tests.Kit;
using StripeMeter.V1;
using Xunit;

namespace StripeMeter.Gateway.Tests.Pricing;

public sealed class ProjectionTests : IAsyncLifetime
{
    private static readonly Google.Protobuf.WellKnownTypes.Timestamp January = new() { Seconds = 1767225600 };
    private readonly RunningPricing _running = new();
    private Backend _backend = null!;
    private PriceBook _stripe = null!;
    private PricingService.PricingServiceClient _pricing = null!;

    public async ValueTask InitializeAsync()
    {
        await _running.InitializeAsync();
        (_backend, _stripe) = (_running.Backend, _running.Stripe);
        _pricing = new PricingService.PricingServiceClient(_running.Channel);
        _backend.CurrentUsage = _ => Usage(Counter("requests", "18059974"));
    }

    public ValueTask DisposeAsync() => _running.DisposeAsync();

    [Fact]
    public async Task Projection_PerUnitPrice_IsPricedAsStripeRounds()
    {
        await MapAsync("requests", "usd", 0.0003m);

        var projection = await ProjectAsync();

        var line = Assert.Single(projection.Lines);
        Assert.Equal(("18059974", "0.000003", "54.18", ""), (line.Quantity, line.UnitPrice, line.Total, line.UnpricedReason));
        Assert.Equal(("54.18", "0.00", "54.18", "usd"), (projection.Subtotal, projection.Credits, projection.Total, projection.Currency));
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

        var error = await Assert.ThrowsAsync<RpcException>(() => ProjectAsync());

        Assert.Equal(StatusCode.FailedPrecondition, error.StatusCode);
        Assert.Contains("eur and usd", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Projection_Credits_AreTakenOffAsStripeHasThem()
    {
        await MapAsync("requests", "usd", 0.0003m);
        await _stripe.GrantAsync("c", "usd", 1_000, "welcome");
        await _stripe.GrantAsync("c", "usd", 5_000, "only others", options =>
            options.ApplicabilityConfig.Scope = new() { Prices = [new() { Id = "price_other" }] });
        await _stripe.GrantAsync("c", "eur", 7_000, "in euro");
        await _stripe.GrantAsync("c", "usd", 7_000, "gone", options => options.ExpiresAt = new DateTime(2026, 1, 31, 0, 0, 0, DateTimeKind.Utc));
        await _stripe.GrantAsync("somebody else", "usd", 7_000, "other");

        var projection = await ProjectAsync();

        Assert.Equal(("54.18", "10.00", "44.18"), (projection.Subtotal, projection.Credits, projection.Total));
        Assert.Contains("only others", projection.CreditsNote, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Projection_CreditAboveTheBill_TakesNoMoreThanIt()
    {
        await MapAsync("requests", "usd", 0.0003m);
        await _stripe.GrantAsync("c", "usd", 1_000_000, "large");

        var projection = await ProjectAsync();

        Assert.Equal(("54.18", "0.00", ""), (projection.Credits, projection.Total, projection.CreditsNote));
    }

    [Fact]
    public async Task Projection_SeveralStripeCustomers_CountsNoCreditsAndSaysSo()
    {
        await MapAsync("a", "usd", 1m);
        await MapAsync("b", "usd", 1m);
        _backend.Mappings["b"].CustomerRule = new CustomerRule { Prefix = "x_" };

        Assert.Contains("several Stripe customers", (await ProjectAsync()).CreditsNote, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Forecast_OfThePeriodUnderWay_HasItsRange()
    {
        var today = new DateTimeOffset(TimeProvider.System.GetUtcNow().UtcDateTime.Date, TimeSpan.Zero);
        _backend.CurrentUsage = _ => new()
        {
            PeriodStart = Timestamp.FromDateTimeOffset(today.AddDays(-10)), PeriodEnd = Timestamp.FromDateTimeOffset(today.AddDays(20)),
            Counters = { Counter("requests", "100") },
        };
        _backend.History = request => new()
        {
            Buckets =
            {
                new UsageBucket { StartTime = Timestamp.FromDateTimeOffset(today.AddDays(-3)), Sum = "10", Count = 1, Min = "10", Max = "10", Last = "10" },
                new UsageBucket { StartTime = Timestamp.FromDateTimeOffset(today.AddDays(-1)), Sum = "20", Count = 1, Min = "20", Max = "20", Last = "20" },
            },
        };
        await MapAsync("requests", "usd", 100m);

        Assert.Null((await ProjectAsync()).Forecast);
        var forecast = (await ProjectAsync(forecast: true)).Forecast;

        // 19 to 20 days are left, of 0, 10 or 20 each: the day between had none.
        var line = Assert.Single(forecast.Lines);
        Assert.Equal((3, "100", "100.00"), (line.Days, line.LowQuantity, line.LowTotal));
        Assert.InRange(decimal.Parse(line.Quantity, CultureInfo.InvariantCulture), 290, 300);
        Assert.InRange(decimal.Parse(forecast.HighTotal, CultureInfo.InvariantCulture), 480, 500);
        Assert.Contains("last 7 full days", forecast.Method, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Forecast_OfAClosedPeriod_IsNone()
    {
        await MapAsync("requests", "usd", 1m);

        Assert.Null((await ProjectAsync(forecast: true)).Forecast);
    }

    [Fact]
    public async Task Projection_StripeThatDoesNotAnswer_IsUnavailable()
    {
        await MapAsync("requests", "usd", 1m);
        await _stripe.StopAsync();

        var error = await Assert.ThrowsAsync<RpcException>(() => ProjectAsync());

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
        _running.Clock.Advance(TimeSpan.FromSeconds(299));
        await ProjectAsync();
        Assert.Equal(1, _stripe.Asked);

        _running.Clock.Advance(TimeSpan.FromSeconds(2));
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

    private Task<GetProjectionResponse> ProjectAsync(bool forecast = false) =>
        _pricing.GetProjectionAsync(new GetProjectionRequest { TenantId = "acme", CustomerRef = "c", IncludeForecast = forecast }).ResponseAsync;

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
}
