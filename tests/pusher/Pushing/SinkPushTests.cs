using StripeMeter.Metering.Pushing;
using StripeMeter.Pusher.Tests.Kit;
using StripeMeter.V1;

namespace StripeMeter.Pusher.Tests.Pushing;

/// <summary>Meters that overwrite are told totals.</summary>
public sealed class SinkPushTests
{
    [Theory, InlineData("sum", "hour", MeterSink.HourTotals), InlineData("sum", "day", MeterSink.DayTotals),
     InlineData("last", null, MeterSink.RunningTotal)]
    public async Task Push_OntoAMeterThatOverwrites_TellsTotals(string formula, string? window, MeterSink sink)
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var meter = await subject.CreateMeterAsync("api_calls", formula, window);
        var mapping = await subject.Mappings.CreateMappingAsync(new CreateMappingRequest
        {
            Mapping = new Mapping
            {
                TenantId = PusherUnderTest.Tenant, Metric = "api_calls", Aggregation = Aggregation.Sum, StripeAccount = "default", MeterId = meter.Id,
                Active = true,
            },
        });
        Assert.Equal(sink, mapping.MeterSink);

        foreach (var (quantity, total) in ((string, string)[])[("10", "10"), ("5", "15"), ("-7", "8"), ("2", "10")])
        {
            await subject.CountAsync("api_calls", "cus_1", quantity);
            await subject.UntilToldAsync(meter.Id, "cus_1", total);
        }

        var events = subject.Double.ReadEvents();
        Assert.Equal(["10", "15", "8", "10"], events.Select(taken => taken.Value));
        Assert.Equal(4, events.Select(taken => taken.Identifier).Distinct().Count());
        if (sink == MeterSink.RunningTotal)
            Assert.Equal(events.Select(taken => taken.Timestamp).Order(), events.Select(taken => taken.Timestamp));
        var document = await subject.DocumentAsync(meter.Id, "cus_1");
        Assert.Empty(document!.Used.Runs);
        Assert.Equal("10", Assert.Single(document.Periods).Slots[^1].Told.ToString());
    }

    [Fact]
    public async Task Push_MaximumOntoALastMeter_IsTheMaximum()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var meter = await subject.CreateMeterAsync("seats", "last");
        await subject.Mappings.CreateMappingAsync(new CreateMappingRequest
        {
            Mapping = new Mapping
            {
                TenantId = PusherUnderTest.Tenant, Metric = "seats", Aggregation = Aggregation.Max, StripeAccount = "default", MeterId = meter.Id,
                Active = true,
            },
        });
        foreach (var quantity in (string[])["2", "9", "4"])
            await subject.CountAsync("seats", "cus_1", quantity);

        await subject.UntilToldAsync(meter.Id, "cus_1", "9");
    }

    [Fact]
    public async Task Push_OfATotalWithALostReply_IsToldOnce()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var meter = await subject.CreateMeterAsync("api_calls", "sum", "hour");
        await subject.Mappings.CreateMappingAsync(new CreateMappingRequest
        {
            Mapping = new Mapping
            {
                TenantId = PusherUnderTest.Tenant, Metric = "api_calls", Aggregation = Aggregation.Sum, StripeAccount = "default", MeterId = meter.Id,
                Active = true,
            },
        });
        subject.Double.Faults.LoseReplies(2);

        await subject.CountAsync("api_calls", "cus_1", "7");

        await subject.UntilToldAsync(meter.Id, "cus_1", "7");
        Assert.Equal(SinkKind.HourTotals, (await subject.DocumentAsync(meter.Id, "cus_1"))!.Meter.Sink);
    }
}
