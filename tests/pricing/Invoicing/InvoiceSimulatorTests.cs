using CsCheck;
using StripeMeter.Metering.Pricing;
using StripeMeter.Metering.Pricing.Invoicing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;
using StripeMeter.Pricing.Tests.Kit;

namespace StripeMeter.Pricing.Tests.Invoicing;

public sealed class InvoiceSimulatorTests
{
    private static readonly Instant Middle = Instant.OfDate(2026, 1, 11);

    [Fact]
    public void Simulate_AllSteps_GoInStripesOrder()
    {
        var terms = new InvoiceTerms
        {
            Discounts = [new Discount("tenth", PercentOff: 10), new Discount("five", AmountOff: 500)],
            Commitments = [new Commitment("prepaid", 1_000) { Applied = 400 }],
            Credits = [new Credit("welcome", 300)],
            TaxRate = 20,
        };

        var invoice = Make.Invoice(terms, Make.Item(10_000));

        Assert.Equal(
            [("tenth", -1_000L), ("five", -500L), ("prepaid", -600L), ("welcome", -300L), ("20 %", 1_520L)],
            invoice.Steps.Select(step => (step.Name, step.Amount)));
        Assert.Equal((10_000, 1_500, 900, 1_520, 9_120), (invoice.Subtotal, invoice.Discounts, invoice.Credits, invoice.Tax, invoice.Total));
    }

    [Theory]
    [InlineData(4_000, 6_000)]
    [InlineData(9_999, 1)]
    [InlineData(10_000, 0)]
    [InlineData(12_000, 0)]
    public void TrueUp_RaisesToWhatWasAgreed(long usage, long raised)
    {
        var invoice = Make.Invoice(new InvoiceTerms { Commitments = [new Commitment("agreed", 10_000) { TrueUp = true }] }, Make.Item(usage));

        Assert.Equal((raised, usage + raised), (invoice.SumOf(InvoiceStepKind.TrueUp), invoice.Total));
    }

    [Fact]
    public void Credits_GoByPriorityThenExpiry_AndOnlyWhileTheyHold()
    {
        var end = Make.January.End;
        var terms = new InvoiceTerms
        {
            Credits =
            [
                new Credit("never expires", 100),
                new Credit("expires later", 100) { ExpiresAt = end + TimeSpan.FromDays(9) },
                new Credit("expires with the period", 100) { ExpiresAt = end },
                new Credit("expired", 100) { ExpiresAt = end - TimeSpan.FromTicks(1) },
                new Credit("not yet", 100) { EffectiveAt = end },
                new Credit("first", 100) { Priority = 0 },
            ],
        };

        var invoice = Make.Invoice(terms, Make.Item(350));

        Assert.Equal(
            [("first", -100L), ("expires with the period", -100L), ("expires later", -100L), ("never expires", -50L)],
            invoice.Steps.Select(step => (step.Name, step.Amount)));
        Assert.Equal(0, invoice.Total);
    }

    [Theory]
    [InlineData(12, 31, 0)]
    [InlineData(1, 1, -100)]
    [InlineData(1, 31, -100)]
    [InlineData(2, 1, 0)]
    public void Commitment_CountsWhereItOverlapsThePeriod(int month, int day, long expected)
    {
        var start = Instant.OfDate(month == 12 ? 2025 : 2026, month, day);
        var commitment = new Commitment("prepaid", 100) { Start = start, End = start + TimeSpan.FromDays(1) };

        Assert.Equal(expected, Make.Invoice(new InvoiceTerms { Commitments = [commitment] }, Make.Item(500)).SumOf(InvoiceStepKind.Commitment));
    }

    [Theory]
    [InlineData("usd", "7.25", 1_005, 73)] // 72.8625
    [InlineData("usd", "0.0001", 500_000, 1)] // 0.5: half goes up
    [InlineData("jpy", "10", 5, 1)]
    public void Tax_IsRoundedOnceAwayFromZero(string currency, string rate, long amount, long tax)
    {
        var item = new UsageItem("calls", Quantity.FromInteger(amount), Make.PerUnit(1, currency));

        Assert.Equal(tax, Make.Invoice(new InvoiceTerms { TaxRate = Make.D(rate) }, item).Tax);
    }

    [Fact]
    public void Proration_OfALicence_IsTheShareOfItsWindow()
    {
        var before = new UsageItem("seats", Make.Q("5"), Make.PerUnit(1_000)) { To = Middle, Prorated = true };
        var after = new UsageItem("seats", Make.Q("8"), Make.PerUnit(1_000)) { From = Middle, Prorated = true };

        var invoice = Make.Invoice(InvoiceTerms.None, before, after);

        Assert.Equal([1_613L, 5_419L], invoice.Lines.Select(line => line.Amount)); // 5000 × 10/31, 8000 × 21/31
        Assert.Contains("for 32.26 % of the period", Explanation.Of(invoice.Lines[0].Priced.Parts[0], Make.Usd, invoice.Lines[0].Share), StringComparison.Ordinal);
    }

    [Fact]
    public void PriceChange_WithinThePeriod_BillsEachUsageByItsPrice()
    {
        var before = new UsageItem("calls", Make.Q("100"), Make.PerUnit(2)) { To = Middle };
        var after = new UsageItem("calls", Make.Q("100"), Make.PerUnit(3)) { From = Middle };

        Assert.Equal([200L, 300L], Make.Invoice(InvoiceTerms.None, before, after).Lines.Select(line => line.Amount));
    }

    [Fact]
    public void Splitting_APeriodWithoutChangeOfPrice_ChangesNothingMetered() =>
        Gen.Select(Gen.Int[1, 743], Gen.Long[0, 5_000_000_000_000], Gen.Long[0, 5_000_000_000_000]).Sample((hour, left, right) =>
        {
            var price = Make.Graduated("1:0.4+7 3:1.5 inf:0.7");
            var cut = Make.January.Start + TimeSpan.FromHours(hour);
            var split = Make.Invoice(
                InvoiceTerms.None,
                new UsageItem("calls", new Quantity(left), price) { To = cut }, new UsageItem("calls", new Quantity(right), price) { From = cut });

            Assert.Equal(Make.Invoice(InvoiceTerms.None, new UsageItem("calls", new Quantity(left + right), price)).Total, split.Total);
            Assert.Single(split.Lines);
        });

    [Fact]
    public void Splitting_ALicence_ChangesItsRoundingOnly() =>
        Gen.Select(Gen.Int[1, 743], Gen.Long[1, 1_000_000]).Sample((hour, amount) =>
        {
            var cut = Make.January.Start + TimeSpan.FromHours(hour);
            UsageItem seat = new("seat", Quantity.One, Make.PerUnit(amount)) { Prorated = true };

            Assert.InRange(Make.Invoice(InvoiceTerms.None, seat with { To = cut }, seat with { From = cut }).Total, amount - 1, amount + 1);
        });

    [Fact]
    public void Proration_OfTwoEqualFees_BillsBoth()
    {
        UsageItem fee = new("fee", Quantity.One, Make.PerUnit(310)) { From = Middle, Prorated = true };

        Assert.Equal(420, Make.Invoice(InvoiceTerms.None, fee, fee).Total);
    }

    [Fact]
    public void Currencies_Several_AreRefusedOrSplit()
    {
        UsageItem[] items = [Make.Item(100), new("tokens", Quantity.One, Make.PerUnit(5, "eur"))];

        var refusal = Assert.Throws<PricingException>(() => Make.Invoice(InvoiceTerms.None, items));
        var invoices = InvoiceSimulator.SimulateByCurrency("cus_1", Make.January, items);

        Assert.Contains("eur, usd", refusal.Message, StringComparison.Ordinal);
        Assert.Equal([("usd", 100L), ("eur", 5L)], invoices.Select(invoice => (invoice.Currency.Code, invoice.Total)));
        Assert.Throws<PricingException>(() =>
            InvoiceSimulator.SimulateByCurrency("cus_1", Make.January, items, new InvoiceTerms { Credits = [new Credit("whose", 1)] }));
    }

    [Fact]
    public void Total_OfAnyInvoice_IsTheLinesAndTheSteps() =>
        Gen.Select(Gen.Long[0, 100_000].Array[1, 5], Gen.Int[0, 1_000_000], Gen.Long[0, 50_000], Gen.Long[0, 200_000]).Sample((amounts, rate, credit, agreed) =>
        {
            var terms = new InvoiceTerms
            {
                Discounts = [new Discount("some", PercentOff: 12.5m)],
                Commitments = [new Commitment("agreed", agreed) { TrueUp = true }],
                Credits = [new Credit("credit", credit)],
                TaxRate = new decimal(rate) / 10_000,
            };
            var invoice = Make.Invoice(terms, [.. amounts.Select((amount, index) => Make.Item(amount, $"m{index}"))]);

            Assert.Equal(invoice.Lines.Sum(line => line.Amount), invoice.Subtotal);
            Assert.Equal(invoice.Subtotal + invoice.Steps.Sum(step => step.Amount), invoice.Total);
            Assert.True(invoice.Total >= 0);
        });

    [Fact]
    public void ThreeDecimals_AreNoted()
    {
        var item = new UsageItem("calls", Quantity.One, Make.PerUnit(1, "kwd"));

        Assert.Contains("steps of 10", Assert.Single(Make.Invoice(InvoiceTerms.None, item).Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void UsageBelowZero_IsNoted() =>
        Assert.Contains("billed as zero", Assert.Single(Make.Invoice(InvoiceTerms.None, Make.Item(-5)).Notes), StringComparison.Ordinal);

    public static TheoryData<InvoiceTerms, string> BadTerms => new()
    {
        { new InvoiceTerms { TaxRate = 101 }, "taxRate" },
        { new InvoiceTerms { TaxRate = 1.00001m }, "taxRate" },
        { new InvoiceTerms { Discounts = [new Discount("none")] }, "discounts[0]" },
        { new InvoiceTerms { Discounts = [new Discount("both", 1, 1)] }, "discounts[0]" },
        { new InvoiceTerms { Discounts = [new Discount("all", 100.5m)] }, "discounts[0]" },
        { new InvoiceTerms { Commitments = [new Commitment("over", 10) { Applied = 11 }] }, "commitments[0].applied" },
        { new InvoiceTerms { Credits = [new Credit("owed", -1)] }, "credits[0].amount" },
        { new InvoiceTerms { Credits = [new Credit("late", 1) { Priority = 101 }] }, "credits[0].priority" },
    };

    [Theory]
    [MemberData(nameof(BadTerms), DisableDiscoveryEnumeration = true)]
    public void Simulate_BadTerms_NameTheirPath(InvoiceTerms terms, string path) =>
        Assert.Equal(path, Assert.Single(Assert.Throws<PricingException>(() => Make.Invoice(terms, Make.Item(1))).Problems).Path);

    [Fact]
    public void Simulate_BadItems_NameTheirPath()
    {
        var bad = new UsageItem("calls", Quantity.One, Make.Graduated("5:1 4:1 inf:1")) { From = Middle, To = Middle };

        var problems = Assert.Throws<PricingException>(() => Make.Invoice(InvoiceTerms.None, Make.Item(1), bad)).Problems;

        Assert.Equal(["usageItems[1].price.tiers[1].up_to", "usageItems[1].to"], problems.Select(problem => problem.Path));
    }

    [Fact]
    public void Simulate_AmountThatDoesNotFit_IsRefused()
    {
        var huge = new UsageItem("calls", Make.Q("99999999999999999999999999"), Make.PerUnit(1_000));

        Assert.Contains("64 bits", Assert.Throws<PricingException>(() => Make.Invoice(InvoiceTerms.None, huge)).Message, StringComparison.Ordinal);
    }
}
