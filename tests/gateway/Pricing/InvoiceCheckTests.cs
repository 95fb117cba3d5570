using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Stripe;
using StripeMeter.Gateway.Tests.Kit;
using StripeMeter.V1;
using Xunit;

namespace StripeMeter.Gateway.Tests.Pricing;

/// <summary>An invoice that the Stripe double billed, beside what our counters come to.</summary>
public sealed class InvoiceCheckTests : IAsyncLifetime
{
    private readonly RunningPricing _running = new();

    public ValueTask InitializeAsync() => _running.InitializeAsync();

    public ValueTask DisposeAsync() => _running.DisposeAsync();

    [Theory]
    [InlineData("graduated")]
    [InlineData("volume")]
    [InlineData("per_unit")]
    public async Task Check_SameUsage_AgreesToTheCent(string model)
    {
        var invoice = await BillAsync(model, "1031.5", counted: "1031.5");

        var check = await CheckAsync(invoice.Id);

        Assert.Equal((invoice.Total, invoice.Total), (check.ExpectedTotal, check.BilledTotal));
        Assert.Empty(check.Differences);
        Assert.Empty(check.Notes);
    }

    /// <summary>Four ways to one invoice: Stripe's, the checked one, the projection, and the simulation of the same price.</summary>
    [Theory]
    [InlineData("graduated", """{"currency":"usd","billing_scheme":"tiered","tiers_mode":"graduated","tiers":[{"up_to":1000,"unit_amount":0,"flat_amount":900},{"up_to":"inf","unit_amount_decimal":"3.6"}]}""")]
    [InlineData("volume", """{"currency":"usd","billing_scheme":"tiered","tiers_mode":"volume","tiers":[{"up_to":1000,"unit_amount":0,"flat_amount":900},{"up_to":"inf","unit_amount_decimal":"3.6"}]}""")]
    [InlineData("per_unit", """{"currency":"usd","unit_amount":1}""")]
    public async Task Check_ProjectionAndSimulation_AreTheSameToTheCent(string model, string price)
    {
        var invoice = await BillAsync(model, "1031.25", counted: "1031.25");

        var check = await CheckAsync(invoice.Id);
        var projection = await new PricingService.PricingServiceClient(_running.Channel)
            .GetProjectionAsync(new GetProjectionRequest { TenantId = "acme", CustomerRef = "cus_1" });
        var simulated = await new SimulationService.SimulationServiceClient(_running.Channel).SimulateInvoiceAsync(new SimulateInvoiceRequest
        {
            TenantId = "acme",
            DocumentJson = $$$"""{"inputs":{"customerId":"cus_1","periodStart":"2026-01-01","periodEnd":"2026-01-31","usageItems":[{"metric":"requests","quantity":1031.25,"price":{{{price}}} }]} }""",
        });

        var total = invoice.Total;
        Assert.Equal((total, total, total), (check.ExpectedTotal, check.BilledTotal, simulated.Invoices[0].Total));
        Assert.Equal(total, decimal.Parse(projection.Total, CultureInfo.InvariantCulture) * 100);
        Assert.Equal(
            projection.Lines[0].Parts.Select(part => (part.Kind, part.Tier, part.Quantity, part.Explanation)),
            simulated.Invoices[0].Lines[0].Parts.Select(part => (part.Kind, part.Tier, part.Quantity, part.Explanation)));
    }

    [Fact]
    public async Task Check_OtherUsage_NamesTheLine()
    {
        var invoice = await BillAsync("graduated", "1031", counted: "1041");

        var check = await CheckAsync(invoice.Id);

        var difference = Assert.Single(check.Differences);
        var line = invoice.Lines.Data.Single(one => one.Id == difference.LineId);
        Assert.Equal(("requests", line.Amount, 148L), (difference.Metric, difference.Billed, difference.Expected));
        Assert.Contains("tier 2: 41", difference.Explanation, StringComparison.Ordinal);
        Assert.Equal(36, check.ExpectedTotal - check.BilledTotal);
    }

    [Fact]
    public async Task Check_MetricThatIsNotBilled_IsMissingAtStripe()
    {
        var invoice = await BillAsync("per_unit", "10", counted: "10");
        await MapAsync("forgotten", "per_unit");
        var usage = _running.Backend.CurrentUsage(new GetCurrentUsageRequest());
        usage.Counters.Add(Counter("forgotten", "7"));
        _running.Backend.CurrentUsage = _ => usage;

        var difference = Assert.Single((await CheckAsync(invoice.Id)).Differences);

        Assert.Equal(("forgotten", "", 7L, false), (difference.Metric, difference.LineId, difference.Expected, difference.HasBilled));
    }

    [Fact]
    public async Task Check_LicenceFee_IsNamedAndNotChecked()
    {
        var fee = await _running.Stripe.AddAsync("usd", 500m, options => options.Recurring = new PriceRecurringOptions { Interval = "month", UsageType = "licensed" });
        var invoice = await BillAsync("per_unit", "10", counted: "10", fee);

        var check = await CheckAsync(invoice.Id);

        Assert.Empty(check.Differences);
        Assert.Single(check.UncheckedLineIds);
        Assert.Equal(10, check.BilledTotal);
    }

    [Theory]
    [InlineData("", StatusCode.InvalidArgument)]
    [InlineData("in_none", StatusCode.NotFound)]
    public async Task Check_NoSuchInvoice_IsRefused(string invoice, StatusCode expected)
    {
        var error = await Assert.ThrowsAsync<RpcException>(() => CheckAsync(invoice));

        Assert.Equal(expected, error.StatusCode);
    }

    [Fact]
    public async Task Check_InvoiceOfOtherThings_IsAFailedPrecondition()
    {
        var invoice = await BillAsync("per_unit", "10", counted: "10");
        _running.Backend.Mappings.Clear();

        var error = await Assert.ThrowsAsync<RpcException>(() => CheckAsync(invoice.Id));

        Assert.Equal(StatusCode.FailedPrecondition, error.StatusCode);
    }

    private async Task<CheckInvoiceResponse> CheckAsync(string invoice) => await new PricingService.PricingServiceClient(_running.Channel)
        .CheckInvoiceAsync(new CheckInvoiceRequest { TenantId = "acme", CustomerRef = "cus_1", InvoiceId = invoice });

    /// <summary>Stripe bills one usage, and we have counted another.</summary>
    private async Task<Invoice> BillAsync(string model, string billed, string counted, string? licensed = null)
    {
        var price = await MapAsync("requests", model);
        var (invoice, start) = await _running.Stripe.BillAsync("cus_1", price, billed, licensed);
        _running.Backend.CurrentUsage = request => new()
        {
            PeriodStart = Timestamp.FromDateTime(start), PeriodEnd = Timestamp.FromDateTime(start.AddMonths(1)), Counters = { Counter("requests", counted) },
        };
        return invoice;
    }

    private async Task<string> MapAsync(string metric, string model)
    {
        var price = await _running.Stripe.AddAsync("usd", model == "per_unit" ? 1m : null, options =>
        {
            if (model == "per_unit")
                return;
            (options.BillingScheme, options.TiersMode) = ("tiered", model);
            options.Tiers = [new PriceTierOptions { UpTo = 1_000, UnitAmount = 0, FlatAmount = 900 }, new PriceTierOptions { UpTo = PriceTierUpTo.Inf, UnitAmountDecimal = 3.6m }];
        });
        _running.Backend.Mappings.Add(metric, new Mapping
        {
            Id = metric, TenantId = "acme", Metric = metric, PriceId = price, Aggregation = Aggregation.Sum, Active = true, StripeAccount = "default",
        });
        return price;
    }

    private static Counter Counter(string metric, string sum) => new() { Metric = metric, Sum = sum, Count = 1, Min = sum, Max = sum, Last = sum };
}
