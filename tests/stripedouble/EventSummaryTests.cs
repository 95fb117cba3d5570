using System.Globalization;
using System.Text.Json.Nodes;
using Stripe.Billing;
using StripeMeter.StripeDouble.Tests.Kit;

namespace StripeMeter.StripeDouble.Tests;

public sealed class EventSummaryTests
{
    [Theory]
    [InlineData("0.3", "0.1", "0.2")]
    [InlineData("999999999999.999999", "999999999999.999", "0.000999")]
    [InlineData("999999999999999.000000000001", "999999999999999", "0.000000000001")]
    [InlineData("-1.5", "1", "-2.5")]
    [InlineData("0", "7.25", "-7.25")]
    [InlineData("10", "2.50", "7.500")]
    public async Task List_Sum_IsExactOnTheWire(string expected, string first, string second)
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        await stripe.SendAsync(first);
        await stripe.SendAsync(second);
        var start = new DateTimeOffset(stripe.Now.Date, TimeSpan.Zero).ToUnixTimeSeconds();
        var reply = await stripe.SendRawAsync(HttpMethod.Get, $"/v1/billing/meters/{meter.Id}/event_summaries?customer=cus_1&start_time={start}&end_time={start + 86_400}");
        Assert.Contains($"\"aggregated_value\":{expected},", reply.Body, StringComparison.Ordinal);
        Assert.Equal(decimal.Parse(expected, CultureInfo.InvariantCulture), await stripe.TotalAsync(meter));
    }

    [Fact]
    public async Task List_Range_StartsInclusiveAndEndsExclusive()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        var minute = stripe.Now.AddMinutes(-10);
        await stripe.SendAsync("1", at: minute.AddSeconds(-1));
        await stripe.SendAsync("10", at: minute);
        await stripe.SendAsync("100", at: minute.AddSeconds(59));
        await stripe.SendAsync("1000", at: minute.AddSeconds(60));
        var summary = (await stripe.SummariesAsync(meter, minute, minute.AddMinutes(1))).Single();
        Assert.Equal((110, minute, minute.AddMinutes(1), meter.Id), (summary.AggregatedValue, summary.StartTime, summary.EndTime, summary.Meter));
        Assert.StartsWith("mtrusg_", summary.Id, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_OtherCustomersAndMeters_DoNotCount()
    {
        await using var stripe = await TestDouble.StartAsync();
        var (tokens, calls) = (await stripe.CreateMeterAsync(), await stripe.CreateMeterAsync("calls"));
        await stripe.SendAsync("1");
        await stripe.SendAsync("10", customer: "cus_2");
        await stripe.SendAsync("100", eventName: "calls");
        Assert.Equal((1, 10, 100), (await stripe.TotalAsync(tokens), await stripe.TotalAsync(tokens, "cus_2"), await stripe.TotalAsync(calls)));
    }

    [Fact]
    public async Task List_FormulaCount_CountsEventsWhateverTheyCarry()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync(formula: "count");
        await stripe.SendAsync("100");
        await stripe.SendAsync("nothing");
        Assert.Equal(2, await stripe.TotalAsync(meter));
    }

    [Fact]
    public async Task List_FormulaLast_TakesTheNewestTimestampAndOfEqualOnesTheLastReceived()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync(formula: "last");
        await stripe.SendAsync("1", at: stripe.Now.AddMinutes(-1));
        await stripe.SendAsync("2", at: stripe.Now.AddMinutes(-5));
        Assert.Equal(1, await stripe.TotalAsync(meter));
        await stripe.SendAsync("3", at: stripe.Now.AddMinutes(-1));
        Assert.Equal(3, await stripe.TotalAsync(meter));
    }

    [Theory]
    [InlineData("hour", 3_600)]
    [InlineData("day", 86_400)]
    public async Task List_ByWindow_GroupsAndPagesNewestFirst(string window, int seconds)
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        var start = stripe.Now.Date.AddDays(-20);
        var expected = new List<(DateTime, decimal)>();
        for (var number = 0; number < 9; number++)
        {
            var begin = start.AddSeconds(number * 2 * seconds);
            await stripe.SendAsync("1", at: begin);
            await stripe.SendAsync(number.ToString(CultureInfo.InvariantCulture), at: begin.AddSeconds(seconds - 1));
            expected.Insert(0, (begin, number + 1));
        }

        var found = new List<(DateTime, decimal)>();
        var options = new MeterEventSummaryListOptions { Customer = "cus_1", StartTime = start, EndTime = stripe.Now.Date, ValueGroupingWindow = window, Limit = 2 };
        await foreach (var summary in stripe.Client.V1.Billing.Meters.EventSummaries.ListAutoPagingAsync(meter.Id, options))
        {
            Assert.Equal(summary.StartTime.AddSeconds(seconds), summary.EndTime);
            found.Add((summary.StartTime, summary.AggregatedValue));
        }

        Assert.Equal(expected, found);
    }

    [Fact]
    public async Task List_EndingBefore_GivesThePageAbove()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        var start = stripe.Now.Date;
        for (var hour = 0; hour < 6; hour++)
            await stripe.SendAsync("1", at: start.AddHours(hour));
        var all = await stripe.SummariesAsync(meter, start, start.AddDays(1), "hour");
        var page = await stripe.Client.V1.Billing.Meters.EventSummaries.ListAsync(meter.Id, new MeterEventSummaryListOptions
        {
            Customer = "cus_1", StartTime = start, EndTime = start.AddDays(1), ValueGroupingWindow = "hour", EndingBefore = all[4].Id, Limit = 2,
        });
        Assert.Equal([all[2].Id, all[3].Id], page.Select(static summary => summary.Id));
        Assert.True(page.HasMore);
    }

    [Fact]
    public async Task List_NothingInRange_IsEmptyOrZeroAsConfigured()
    {
        await using var omitting = await TestDouble.StartAsync();
        await using var zero = await TestDouble.StartAsync(static options => options with { EmptySummaries = EmptySummaries.Zero });
        Assert.Null(await omitting.TotalAsync(await omitting.CreateMeterAsync()));
        var meter = await zero.CreateMeterAsync();
        Assert.Equal(0, await zero.TotalAsync(meter));
        await zero.SendAsync("5", at: zero.Now.Date.AddHours(1));
        var hours = await zero.SummariesAsync(meter, zero.Now.Date, zero.Now.Date.AddHours(3), "hour");
        Assert.Equal([0, 5, 0], hours.Select(static hour => hour.AggregatedValue));
    }

    [Fact]
    public async Task List_SummaryLag_HidesEventsUntilItHasPassed()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        stripe.Faults.SummaryLag = TimeSpan.FromMinutes(10);
        await stripe.SendAsync("1");
        stripe.Time.Advance(TimeSpan.FromSeconds(599));
        Assert.Null(await stripe.TotalAsync(meter));
        stripe.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, await stripe.TotalAsync(meter));
    }

    [Theory]
    [InlineData("customer=cus_1&start_time=60&end_time=121", "end_time")]
    [InlineData("customer=cus_1&start_time=61&end_time=120", "start_time")]
    [InlineData("customer=cus_1&start_time=120&end_time=120", "end_time")]
    [InlineData("customer=cus_1&start_time=120&end_time=60", "end_time")]
    [InlineData("customer=cus_1&start_time=60&end_time=7200&value_grouping_window=hour", "start_time")]
    [InlineData("customer=cus_1&start_time=3600&end_time=86400&value_grouping_window=day", "start_time")]
    [InlineData("customer=cus_1&start_time=60&end_time=120&value_grouping_window=minute", "value_grouping_window")]
    [InlineData("customer=cus_1&start_time=60&end_time=120&limit=0", "limit")]
    [InlineData("customer=cus_1&start_time=60&end_time=120&limit=101", "limit")]
    [InlineData("customer=cus_1&start_time=60&end_time=120&starting_after=mtrusg_x", "starting_after")]
    [InlineData("customer=cus_1&start_time=-60&end_time=120", "start_time")]
    [InlineData("customer=cus_1&start_time=60&end_time=99999999999960", "end_time")]
    [InlineData("start_time=60&end_time=120", "customer")]
    public async Task List_ParameterThatBreaksARule_IsRefused(string query, string parameter)
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        var reply = await stripe.SendRawAsync(HttpMethod.Get, $"/v1/billing/meters/{meter.Id}/event_summaries?{query}");
        Assert.Equal((400, parameter), (reply.Status, reply.Parameter));
    }

    [Fact]
    public async Task List_UnknownMeter_IsNotFound()
    {
        await using var stripe = await TestDouble.StartAsync();
        var reply = await stripe.SendRawAsync(HttpMethod.Get, "/v1/billing/meters/mtr_none/event_summaries?customer=cus_1&start_time=60&end_time=120");
        Assert.Equal((404, "resource_missing"), (reply.Status, reply.Code));
    }

    [Fact]
    public async Task List_BeyondDecimal_StillHasEveryDigit()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        for (var number = 0; number < 11; number++)
            await stripe.SendAsync("999999999999999");
        await stripe.SendAsync("0.000000000001");
        var start = new DateTimeOffset(stripe.Now.Date, TimeSpan.Zero).ToUnixTimeSeconds();
        var reply = await stripe.SendRawAsync(HttpMethod.Get, $"/v1/billing/meters/{meter.Id}/event_summaries?customer=cus_1&start_time={start}&end_time={start + 86_400}");
        Assert.Equal("10999999999999989.000000000001", JsonNode.Parse(reply.Body)!["data"]![0]!["aggregated_value"]!.ToJsonString());
    }
}
