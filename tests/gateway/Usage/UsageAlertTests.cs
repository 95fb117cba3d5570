using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using StripeMeter.Gateway.Tests.Kit;
using StripeMeter.V1;
using Xunit;

namespace StripeMeter.Gateway.Tests.Usage;

/// <summary>Limits, units and alerts of what a customer uses.</summary>
public sealed class UsageAlertTests : IAsyncLifetime
{
    private static readonly Timestamp January = new() { Seconds = 1767225600 };
    private static readonly Timestamp February = new() { Seconds = 1769904000 };
    private readonly RunningGateway _gateway = new();
    private string _sum = "0";

    public async ValueTask InitializeAsync()
    {
        _gateway.Settings["USAGE_LIMITS"] = "calls=1000, acme/calls=100,acme/calls/large=200.5";
        _gateway.Settings["METRIC_UNITS"] = "calls=API calls";
        await _gateway.InitializeAsync();
        _gateway.Backend.CurrentUsage = request => new GetCurrentUsageResponse
        {
            PeriodStart = January, PeriodEnd = February,
            Counters = { new Counter { TenantId = request.TenantId, Metric = "calls", CustomerRef = request.CustomerRef, Sum = _sum, Count = 1, Min = _sum, Max = _sum, Last = _sum, Watermark = January } },
        };
    }

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Theory]
    [InlineData("acme", "c", "100")]
    [InlineData("acme", "large", "200.5")]
    [InlineData("other", "large", "1000")]
    public async Task Current_LimitOfAMetric_IsTheNarrowestOne(string tenant, string customer, string limit)
    {
        var metric = (await _gateway.GetAsync($"/v1/usage/current?tenantId={tenant}&customerRef={customer}")).Json.GetProperty("metrics")[0];

        Assert.Equal(limit, metric.GetProperty("limit").GetRawText());
        Assert.Equal("API calls", metric.GetProperty("unit").GetString());
    }

    [Theory]
    [InlineData("74.999999999999", null, null)]
    [InlineData("75", "limit_near", "warn")]
    [InlineData("99.999999999999", "limit_near", "warn")]
    [InlineData("100", "limit_reached", "critical")]
    [InlineData("99999999999999999999999999", "limit_reached", "critical")]
    public async Task Current_NearItsLimit_IsAlerted(string sum, string? type, string? severity)
    {
        _sum = sum;

        var alerts = (await _gateway.GetAsync("/v1/usage/current?tenantId=acme&customerRef=c")).Json.GetProperty("alerts").EnumerateArray().ToArray();

        Assert.Equal(type is null ? [] : [(type, severity)], alerts.Select(alert => (alert.GetProperty("type").GetString(), alert.GetProperty("severity").GetString())));
    }

    /// <summary>A page holds what passes the filters, and that may be nothing.</summary>
    [Theory]
    [InlineData(3, 1, "1")]
    [InlineData(3, 60, "120 or more")]
    [InlineData(2, 60, "120")]
    public async Task Current_LateEventsBehindEmptyPages_AreCounted(int last, int each, string counted)
    {
        _gateway.Backend.ListAdjustments = request =>
        {
            var page = request.PageToken.Length == 0 ? 0 : int.Parse(request.PageToken, CultureInfo.InvariantCulture);
            var late = Enumerable.Repeat(new Adjustment { Reason = AdjustmentReason.LateEvent, PeriodTime = January }, each);
            var found = request.LateOnly && (each > 1 ? page > 0 : page == last);
            return new ListAdjustmentsResponse { Adjustments = { found ? late : [] }, NextPageToken = page < last ? $"{page + 1}" : "" };
        };

        var alert = (await _gateway.GetAsync("/v1/usage/current?tenantId=acme&customerRef=c")).Json.GetProperty("alerts").EnumerateArray().Single();

        Assert.Equal($"Late events wait for approval and are not counted yet: {counted}.", alert.GetProperty("message").GetString());
    }

    [Fact]
    public async Task Current_LateEventsAndParkedPushes_AreAlerted()
    {
        _gateway.Backend.ListAdjustments = request => new ListAdjustmentsResponse
        {
            Adjustments =
            {
                new Adjustment { Reason = AdjustmentReason.LateEvent, CustomerRef = request.CustomerRef, PeriodTime = January },
                new Adjustment { Reason = AdjustmentReason.LateEvent, CustomerRef = request.CustomerRef, PeriodTime = February },
                new Adjustment { Reason = AdjustmentReason.Manual, CustomerRef = request.CustomerRef, PeriodTime = January },
            },
        };
        _gateway.Backend.ListDeltas = _ => new ListDeltasResponse { Deltas = { new Delta { MeterId = "mtr_1", Parked = true }, new Delta { MeterId = "mtr_2" } } };

        var alerts = (await _gateway.GetAsync("/v1/usage/current?tenantId=acme&customerRef=c")).Json.GetProperty("alerts").EnumerateArray().ToArray();

        Assert.Equal(
            [("late_events", "Late events wait for approval and are not counted yet: 1."), ("push_parked", "Stripe cannot be told usage of the meter mtr_1; GET /v1/deltas says why.")],
            alerts.Select(alert => (alert.GetProperty("type").GetString()!, alert.GetProperty("message").GetString()!)));
    }
}
