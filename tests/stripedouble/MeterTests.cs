using System.Net;
using Stripe.Billing;
using StripeMeter.StripeDouble.Tests.Kit;

namespace StripeMeter.StripeDouble.Tests;

public sealed class MeterTests
{
    [Fact]
    public async Task Create_EveryParameter_IsShownByGet()
    {
        await using var stripe = await TestDouble.StartAsync();
        var created = await stripe.Client.V1.Billing.Meters.CreateAsync(new MeterCreateOptions
        {
            DisplayName = "Tokens",
            EventName = "tokens",
            DefaultAggregation = new MeterDefaultAggregationOptions { Formula = "last" },
            CustomerMapping = new MeterCustomerMappingOptions { EventPayloadKey = "who", Type = "by_id" },
            ValueSettings = new MeterValueSettingsOptions { EventPayloadKey = "how_much" },
            EventTimeWindow = "day",
        });

        var meter = await stripe.Client.V1.Billing.Meters.GetAsync(created.Id);

        Assert.StartsWith("mtr_", meter.Id, StringComparison.Ordinal);
        Assert.Equal(("Tokens", "tokens", "last", "day"), (meter.DisplayName, meter.EventName, meter.DefaultAggregation.Formula, meter.EventTimeWindow));
        Assert.Equal(("who", "by_id", "how_much"), (meter.CustomerMapping.EventPayloadKey, meter.CustomerMapping.Type, meter.ValueSettings.EventPayloadKey));
        Assert.Equal((stripe.Now, stripe.Now, false, "active"), (meter.Created, meter.Updated, meter.Livemode, meter.Status));
    }

    [Fact]
    public async Task Create_WithoutOptionalParameters_TakesStripesDefaults()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        Assert.Equal(("stripe_customer_id", "value", null), (meter.CustomerMapping.EventPayloadKey, meter.ValueSettings.EventPayloadKey, meter.EventTimeWindow));
    }

    [Fact]
    public async Task Create_EventNameOfADeactivatedMeter_IsRefused()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        await stripe.Client.V1.Billing.Meters.DeactivateAsync(meter.Id);
        var refusal = await Refused.AsAsync(HttpStatusCode.BadRequest, () => stripe.CreateMeterAsync());
        Assert.Equal("event_name", refusal.StripeError.Param);
    }

    [Fact]
    public async Task Create_FormulaMax_IsRefused()
    {
        await using var stripe = await TestDouble.StartAsync();
        var refusal = await Refused.AsAsync(HttpStatusCode.BadRequest, () => stripe.CreateMeterAsync(formula: "max"));
        Assert.Equal("default_aggregation[formula]", refusal.StripeError.Param);
    }

    [Fact]
    public async Task Update_DisplayName_ChangesNothingElse()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        stripe.Time.Advance(TimeSpan.FromMinutes(1));
        await stripe.Client.V1.Billing.Meters.UpdateAsync(meter.Id, new MeterUpdateOptions { DisplayName = "New" });
        var changed = await stripe.Client.V1.Billing.Meters.GetAsync(meter.Id);
        Assert.Equal(("New", "tokens", meter.Created, stripe.Now), (changed.DisplayName, changed.EventName, changed.Created, changed.Updated));
    }

    [Fact]
    public async Task Deactivate_ThenReactivate_StopsAndResumesEvents()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        var inactive = await stripe.Client.V1.Billing.Meters.DeactivateAsync(meter.Id);
        Assert.Equal(("inactive", stripe.Now), (inactive.Status, inactive.StatusTransitions.DeactivatedAt));
        var refusal = await Refused.AsAsync(HttpStatusCode.BadRequest, () => stripe.SendAsync("1"));
        Assert.StartsWith("No active meter found for event name tokens", refusal.StripeError.Message, StringComparison.Ordinal);

        var active = await stripe.Client.V1.Billing.Meters.ReactivateAsync(meter.Id);
        Assert.Equal(("active", null), (active.Status, active.StatusTransitions.DeactivatedAt));
        await stripe.SendAsync("1");
        Assert.Equal(1, await stripe.TotalAsync(meter));
    }

    [Fact]
    public async Task Get_UnknownMeter_IsNotFound()
    {
        await using var stripe = await TestDouble.StartAsync();
        var refusal = await Refused.AsAsync(HttpStatusCode.NotFound, () => stripe.Client.V1.Billing.Meters.GetAsync("mtr_none"));
        Assert.Equal("resource_missing", refusal.StripeError.Code);
    }

    [Fact]
    public async Task List_MoreThanAPage_GivesEachOnceNewestFirst()
    {
        await using var stripe = await TestDouble.StartAsync();
        var names = Enumerable.Range(1, 25).Select(number => $"event{number}").ToList();
        foreach (var name in names)
            await stripe.CreateMeterAsync(name);
        var first = await stripe.Client.V1.Billing.Meters.ListAsync();
        Assert.Equal((10, true), (first.Data.Count, first.HasMore));

        var all = new List<string>();
        await foreach (var meter in stripe.Client.V1.Billing.Meters.ListAutoPagingAsync(new MeterListOptions { Limit = 7 }))
            all.Add(meter.EventName);
        Assert.Equal(Enumerable.Reverse(names), all);

        var back = await stripe.Client.V1.Billing.Meters.ListAsync(new MeterListOptions { EndingBefore = first.Data[5].Id, Limit = 3 });
        Assert.Equal(["event23", "event22", "event21"], back.Data.Select(static meter => meter.EventName));
        Assert.True(back.HasMore);
    }

    [Fact]
    public async Task List_ByStatus_ShowsOnlyThose()
    {
        await using var stripe = await TestDouble.StartAsync();
        var off = await stripe.CreateMeterAsync("off");
        var on = await stripe.CreateMeterAsync("on");
        await stripe.Client.V1.Billing.Meters.DeactivateAsync(off.Id);
        Assert.Equal([on.Id], (await stripe.Client.V1.Billing.Meters.ListAsync(new MeterListOptions { Status = "active" })).Select(static meter => meter.Id));
        Assert.Equal([off.Id], (await stripe.Client.V1.Billing.Meters.ListAsync(new MeterListOptions { Status = "inactive" })).Select(static meter => meter.Id));
    }
}
