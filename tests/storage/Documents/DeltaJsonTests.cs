using System.Text.Json;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;
using StripeMeter.Storage.Documents;

namespace StripeMeter.Storage.Tests.Documents;

public sealed class DeltaJsonTests
{
    private static readonly BillingPeriod Month = new(Instant.OfDate(2026, 3, 10), Instant.OfDate(2026, 4, 10));

    /// <summary>What was stored before a push kept the end of its period is read as well.</summary>
    [Fact]
    public void ReadIntent_WithTheStartOfItsPeriodAlone_EndsWhereAMonthFromThereDoes()
    {
        const string Now = "\"period\":{\"start\":\"2026-03-10T00:00:00Z\",\"end\":\"2026-04-10T00:00:00Z\"}";
        var intent = new PushIntent
        {
            Identifier = "sm_1", Number = 1, Meter = new MeterNames("calls", "stripe_customer_id", "value"), Period = Month,
            Value = Quantity.One, Minute = Month.Start, Created = Month.Start,
        };
        var json = DeltaJson.Write(intent);
        Assert.Contains(Now, json, StringComparison.Ordinal);

        Assert.Equal(intent, DeltaJson.ReadIntent(json));
        Assert.Equal(intent, DeltaJson.ReadIntent(json.Replace(Now, "\"periodStart\":\"2026-03-10T00:00:00Z\"", StringComparison.Ordinal)));
        Assert.Throws<JsonException>(() => DeltaJson.ReadIntent(json.Replace(Now + ",", "", StringComparison.Ordinal)));
    }
}
