using StripeMeter.Gateway.Tests.Kit;
using StripeMeter.V1;
using Xunit;

namespace StripeMeter.Gateway.Tests.Usage;

public sealed class UsageRouteTests : IClassFixture<RunningGateway>
{
    private static readonly Google.Protobuf.WellKnownTypes.Timestamp January = new() { Seconds = 1767225600 };
    private static readonly Google.Protobuf.WellKnownTypes.Timestamp February = new() { Seconds = 1769904000 };
    private readonly RunningGateway _gateway;
    private GetUsageHistoryRequest _asked = new();

    public UsageRouteTests(RunningGateway gateway)
    {
        _gateway = gateway;
        _gateway.Backend.Reset();
        _gateway.Backend.CurrentUsage = _ => new GetCurrentUsageResponse
        {
            PeriodStart = January,
            PeriodEnd = February,
            Counters = { Counter("requests"), Counter("tokens") },
        };
        _gateway.Backend.History = request =>
        {
            _asked = request;
            return new GetUsageHistoryResponse
            {
                Buckets =
                {
                    new UsageBucket { StartTime = January, Sum = "99999999999999999999.1", Count = 2, Min = "1.5", Max = "3", Last = "3" },
                    new UsageBucket { StartTime = February, Sum = "0.2", Count = 1, Min = "0.2", Max = "0.2", Last = "0.2" },
                },
            };
        };
    }

    [Fact]
    public async Task Current_WithoutMapping_IsTheSum()
    {
        var answer = await _gateway.GetAsync("/v1/usage/current?tenantId=acme&customerRef=c");

        Assert.StartsWith(
            """
            {"customerRef":"c","period":{"start":"2026-01-01","end":"2026-01-31","startTime":"2026-01-01T00:00:00Z","endTime":"2026-02-01T00:00:00Z"},"metrics":[{"name":"requests","current":0.3,"aggregation":"sum","unit":"requests","sum":0.3,"count":2,"min":0.1,"max":0.2,"last":0.1,"watermark":"2026-01-01T00:00:00Z"},
            """,
            answer.Text,
            StringComparison.Ordinal);
        Assert.Empty(answer.Json.GetProperty("alerts").EnumerateArray());
    }

    [Theory]
    [InlineData(Aggregation.Sum, "0.3")]
    [InlineData(Aggregation.Count, "2")]
    [InlineData(Aggregation.Min, "0.1")]
    [InlineData(Aggregation.Max, "0.2")]
    [InlineData(Aggregation.Last, "0.1")]
    public async Task Current_WithActiveMapping_FollowsItsAggregation(Aggregation aggregation, string expected)
    {
        _gateway.Backend.Mappings.Add("1", new Mapping { Id = "1", TenantId = "acme", Metric = "tokens", Aggregation = aggregation, Active = true });
        _gateway.Backend.Mappings.Add("2", new Mapping { Id = "2", TenantId = "acme", Metric = "requests", Aggregation = Aggregation.Max, Active = false });
        _gateway.Backend.Mappings.Add("3", new Mapping { Id = "3", TenantId = "other", Metric = "requests", Aggregation = Aggregation.Max, Active = true });

        var metrics = (await _gateway.GetAsync("/v1/usage/current?tenantId=acme&customerRef=c")).Json.GetProperty("metrics");

        Assert.Equal("0.3", metrics[0].GetProperty("current").GetRawText());
        Assert.Equal(expected, metrics[1].GetProperty("current").GetRawText());
    }

    [Fact]
    public async Task Current_ServiceThatIsDown_IsAProblemAndNotAnEmptyAnswer()
    {
        _gateway.Backend.CurrentUsage = _ => throw Defaults.Errors.RpcErrors.Unavailable("The store is away.", TimeSpan.FromSeconds(1));

        (await _gateway.GetAsync("/v1/usage/current?tenantId=acme&customerRef=c")).Problem(503);
    }

    [Fact]
    public async Task History_ByPeriod_AnswersUsageAndIncludesTheEnd()
    {
        var answer = await _gateway.GetAsync(
            "/v1/usage/history?tenantId=acme&customerRef=c&metric=m&periodStart=2026-01-01T00:00:00Z&periodEnd=2026-01-31T23:59:59.9999999Z&step=day");

        Assert.Equal(
            """{"usage":[{"ts":"2026-01-01T00:00:00Z","value":99999999999999999999.1},{"ts":"2026-02-01T00:00:00Z","value":0.2}]}""",
            answer.Text);
        Assert.Equal((January, February, HistoryStep.Day), (_asked.StartTime, _asked.EndTime, _asked.Step));
    }

    [Fact]
    public async Task History_ByInterval_AnswersSeriesAndExactTotals()
    {
        _gateway.Backend.Mappings.Add("1", new Mapping { Id = "1", TenantId = "acme", Metric = "m", Aggregation = Aggregation.Last, Active = true });

        var answer = await _gateway.GetAsync(
            "/v1/usage/history?tenantId=acme&customerRef=c&metric=m&since=2026-01-01T00:00:00Z&until=2026-02-01T00:00:00Z&interval=hour");

        Assert.Equal((January, February, HistoryStep.Hour), (_asked.StartTime, _asked.EndTime, _asked.Step));
        Assert.Equal(
            """{"value":0.2,"sum":99999999999999999999.3,"count":3,"min":0.2,"max":3,"last":0.2}""",
            answer.Json.GetProperty("totals").GetRawText());
        Assert.Equal("3", answer.Json.GetProperty("series")[0].GetProperty("value").GetRawText());
        Assert.False(answer.Json.TryGetProperty("usage", out _));
    }

    [Theory]
    [InlineData("metric=m", "periodStart")]
    [InlineData("metric=m&periodStart=2026-01-01T00:00:00Z", "periodEnd")]
    [InlineData("periodStart=2026-01-01T00:00:00Z&periodEnd=2026-01-02T00:00:00Z", "metric")]
    [InlineData("metric=m&periodStart=2026-01-02T00:00:00Z&periodEnd=2026-01-01T00:00:00Z", "periodEnd")]
    [InlineData("metric=m&periodStart=2026-01-01T00:00:00Z&periodEnd=2026-01-02T00:00:00Z&step=week", "step")]
    [InlineData("metric=m&since=2026-01-01T00:00:00Z&interval=month", "interval")]
    public async Task History_WrongParameter_IsAProblemInTheOldEnvelope(string query, string field)
    {
        var problem = (await _gateway.GetAsync($"/v1/usage/history?tenantId=acme&customerRef=c&{query}")).Problem(400);

        Assert.Equal(field, problem.GetProperty("errors")[0].GetProperty("field").GetString());
        Assert.Empty(problem.GetProperty("usage").EnumerateArray());
    }

    [Fact]
    public async Task Projection_IsShownExactly()
    {
        GetProjectionRequest? asked = null;
        _gateway.Backend.Projection = request =>
        {
            asked = request;
            return Projection();
        };

        var answer = await _gateway.PostAsync(
            "/v1/usage/projection", """{"tenantId":"acme","customerRef":"c","periodStart":"2026-01-01","periodEnd":"2026-01-31"}""");

        Assert.Equal(new GetProjectionRequest { TenantId = "acme", CustomerRef = "c", AtTime = January }, asked);
        Assert.StartsWith(
            """
            {"customerRef":"c","periodStart":"2026-01-01","periodEnd":"2026-01-31","lineItems":[{"metric":"m","priceId":"price_1","quantity":1234.5,"unitPrice":0.002,"total":2.47,"parts":[]},{"metric":"n","priceId":"price_2","quantity":3,"unpricedReason":"is tiered","parts":[]}],"subtotal":2.47,"credits":0,"total":2.47,"currency":"USD","freshness":{"lastUpdate":"2026-01-01T00:00:00Z","staleness":
            """,
            answer.Text,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"customerRef":"c"}""", "tenantId")]
    [InlineData("""{"tenantId":"acme"}""", "customerRef")]
    [InlineData("""{"tenantId":"acme","customerRef":7}""", "customerRef")]
    [InlineData("""{"tenantId":"acme","customerRef":"c","periodStart":"2026-01-01"}""", "periodEnd")]
    [InlineData("""{"tenantId":"acme","customerRef":"c","periodEnd":"2026-01-31"}""", "periodStart")]
    [InlineData("""{"tenantId":"acme","customerRef":"c","periodStart":"2026-01-32","periodEnd":"2026-01-31"}""", "periodStart")]
    [InlineData("""{"tenantId":"acme","customerRef":"c","periodStart":"2026-01-02","periodEnd":"2026-01-31"}""", "periodStart")]
    [InlineData("""{"tenantId":"acme","customerRef":"c","periodStart":"2026-01-01","periodEnd":"2026-02-28"}""", "periodEnd")]
    [InlineData("""{"tenantId":"acme","customerRef":"c","period":"2026-01"}""", "period")]
    [InlineData("""[]""", "body")]
    public async Task Projection_WrongBody_IsAProblemThatNamesTheField(string body, string field)
    {
        _gateway.Backend.Projection = _ => Projection();

        var problem = (await _gateway.PostAsync("/v1/usage/projection", body)).Problem(400);

        Assert.Equal(field, problem.GetProperty("errors")[0].GetProperty("field").GetString());
    }

    [Fact]
    public async Task Projection_ForecastAndCredits_AreShownWhenTheyAreThere()
    {
        GetProjectionRequest? asked = null;
        _gateway.Backend.Projection = request =>
        {
            asked = request;
            var projection = Projection();
            projection.CreditsNote = "Credits are not counted.";
            projection.Forecast = new ProjectionForecast
            {
                Method = "like before", LowTotal = "2.47", Total = "3.50", HighTotal = "9.00",
                Lines =
                {
                    new ForecastLine
                    {
                        Metric = "m", Days = 7, LowQuantity = "1234.5", Quantity = "1750.000000000001", HighQuantity = "4500", LowTotal = "2.47",
                        Total = "3.50", HighTotal = "9.00",
                    },
                },
            };
            return projection;
        };

        var answer = await _gateway.PostAsync("/v1/usage/projection", """{"tenantId":"acme","customerRef":"c","forecast":true}""");

        Assert.True(asked!.IncludeForecast);
        Assert.EndsWith(
            """
            "creditsNote":"Credits are not counted.","forecast":{"method":"like before","total":3.50,"low":2.47,"high":9.00,"lineItems":[{"metric":"m","days":7,"quantity":{"expected":1750.000000000001,"low":1234.5,"high":4500},"total":{"expected":3.50,"low":2.47,"high":9.00}}]}}
            """,
            answer.Text,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task CheckInvoice_IsShownWithItsDifferences()
    {
        CheckInvoiceRequest? asked = null;
        _gateway.Backend.CheckInvoice = request =>
        {
            asked = request;
            return new CheckInvoiceResponse
            {
                Currency = "usd", PeriodStart = January, PeriodEnd = new() { Seconds = 1769904000 }, ExpectedTotal = 1_012, BilledTotal = 900,
                Differences = { new InvoiceDifference { Metric = "m", Expected = 112, Explanation = "tier 2: 31 × 0.036" } }, UncheckedLineIds = { "il_9" },
            };
        };

        var answer = await _gateway.GetAsync("/v1/reconciliation/invoices/in_1?tenantId=acme&customerRef=c&stripeAccount=acct_1");

        Assert.Equal(new CheckInvoiceRequest { TenantId = "acme", CustomerRef = "c", InvoiceId = "in_1", StripeAccount = "acct_1" }, asked);
        Assert.Equal(
            """
            {"invoiceId":"in_1","currency":"usd","periodStart":"2026-01-01T00:00:00Z","periodEnd":"2026-02-01T00:00:00Z","matches":false,"expected":1012,"billed":900,"differences":[{"metric":"m","expected":112,"explanation":"tier 2: 31 × 0.036"}],"uncheckedLineIds":["il_9"],"notes":[]}
            """,
            answer.Text);
        (await _gateway.GetAsync("/v1/reconciliation/invoices/in_1?tenantId=acme")).Problem(400);
    }

    [Fact]
    public async Task Projection_MixedCurrencies_Is422()
    {
        _gateway.Backend.Projection = _ =>
            throw Defaults.Errors.RpcErrors.FailedPrecondition("MIXED_CURRENCIES", "The prices are in eur and usd.");

        var problem = (await _gateway.PostAsync("/v1/usage/projection", """{"tenantId":"acme","customerRef":"c"}""")).Problem(422);

        Assert.Equal("The prices are in eur and usd.", problem.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task Counters_AndProgress_AreShown()
    {
        _gateway.Backend.ListCounters = _ => new ListCountersResponse { Counters = { Counter("m") }, NextPageToken = "n" };
        _gateway.Backend.Progress = _ => new GetProgressResponse
        {
            Shards = { new ShardProgress { Shard = 0, Head = 5, Projected = 5 }, new ShardProgress { Shard = 1, Head = 3, Projected = 2 } },
        };

        var counters = (await _gateway.GetAsync("/v1/counters?tenantId=acme")).Json;
        var progress = await _gateway.GetAsync("/v1/counters/progress?tenantId=acme");

        Assert.Equal("0.3", counters.GetProperty("counters")[0].GetProperty("sum").GetRawText());
        Assert.Equal("n", counters.GetProperty("nextCursor").GetString());
        Assert.Equal(
            """{"caughtUp":false,"shards":[{"shard":0,"head":5,"projected":5},{"shard":1,"head":3,"projected":2}]}""", progress.Text);
    }

    [Fact]
    public async Task Deltas_AreShownWithTheirOpenIntent()
    {
        _gateway.Backend.ListDeltas = _ => new ListDeltasResponse
        {
            Deltas =
            {
                new Delta
                {
                    StripeAccount = "default", MeterId = "mtr_1", StripeCustomer = "cus_1", PeriodStart = January, Target = "5",
                    Accepted = "2", Outstanding = "3", PeriodEnd = February, Deadline = February, Confirmed = "1", CarriedIn = "0.5",
                    CarriedOut = "0", Unbilled = "0.25", Problem = "held", Parked = true,
                    OpenIntent = new PushIntent { Identifier = "i", Value = "3", Minute = January, State = IntentState.Ambiguous, Attempts = 2, LastError = "timeout" },
                },
            },
        };

        var answer = await _gateway.GetAsync("/v1/deltas?tenantId=acme");

        Assert.Equal(
            """{"deltas":[{"stripeAccount":"default","livemode":false,"meterId":"mtr_1","stripeCustomer":"cus_1","periodStart":"2026-01-01T00:00:00Z","periodEnd":"2026-02-01T00:00:00Z","deadline":"2026-02-01T00:00:00Z","target":5,"accepted":2,"outstanding":3,"confirmed":1,"carriedIn":0.5,"carriedOut":0,"unbilled":0.25,"problem":"held","parked":true,"openIntent":{"identifier":"i","value":3,"minute":"2026-01-01T00:00:00Z","state":"ambiguous","attempts":2,"lastError":"timeout"}}]}""",
            answer.Text);
    }

    [Fact]
    public async Task Shadow_IsShownBesideWhatIsBilled()
    {
        CompareShadowRequest asked = new();
        _gateway.Backend.CompareShadow = request =>
        {
            asked = request;
            return new CompareShadowResponse
            {
                NextPageToken = "n",
                Comparisons =
                {
                    new ShadowComparison
                    {
                        Metric = "calls", PeriodStart = January, StripeCustomer = "cus_1", ShadowStripeCustomer = "cus_t", Target = "5", Accepted = "5",
                        ShadowTarget = "5", ShadowAccepted = "4.5", Difference = "-0.5",
                    },
                },
            };
        };

        var answer = await _gateway.GetAsync("/v1/shadow?tenantId=acme&metric=calls&limit=7&cursor=c");

        Assert.Equal(("acme", "calls", 7, "c"), (asked.TenantId, asked.Metric, asked.PageSize, asked.PageToken));
        Assert.Equal(
            """{"comparisons":[{"metric":"calls","periodStart":"2026-01-01T00:00:00Z","stripeCustomer":"cus_1","shadowStripeCustomer":"cus_t","target":5,"accepted":5,"shadowTarget":5,"shadowAccepted":4.5,"difference":-0.5}],"nextCursor":"n"}""",
            answer.Text);
    }

    private static Counter Counter(string metric) => new()
    {
        Metric = metric,
        CustomerRef = "c",
        PeriodStart = January,
        PeriodEnd = February,
        Sum = "0.3",
        Count = 2,
        Min = "0.1",
        Max = "0.2",
        Last = "0.1",
        Watermark = January,
    };

    private static GetProjectionResponse Projection() => new()
    {
        CustomerRef = "c",
        PeriodStart = January,
        PeriodEnd = February,
        Lines =
        {
            new ProjectionLine { Metric = "m", PriceId = "price_1", Quantity = "1234.5", UnitPrice = "0.002", Total = "2.47" },
            new ProjectionLine { Metric = "n", PriceId = "price_2", Quantity = "3", UnpricedReason = "is tiered" },
        },
        Subtotal = "2.47",
        Credits = "0",
        Total = "2.47",
        Currency = "usd",
        NewestEventTime = January,
    };
}
