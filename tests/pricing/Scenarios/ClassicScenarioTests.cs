using StripeMeter.Metering.Pricing;
using StripeMeter.Metering.Pricing.Scenarios;
using StripeMeter.Pricing.Tests.Kit;

namespace StripeMeter.Pricing.Tests.Scenarios;

/// <summary>The older shape: the same words with other meanings.</summary>
public sealed class ClassicScenarioTests
{
    private const string Tiers = "'tiers': [{'upTo': 10, 'unitPrice': 1, 'flatPrice': 5}, {'upTo': null, 'unitPrice': 0.5, 'flatPrice': 7}]";

    [Theory]
    [InlineData("'model': 'tiered', " + Tiers, "12", "11")]
    [InlineData("'model': 'graduated', " + Tiers, "12", "23")]
    [InlineData("'model': 'graduated', " + Tiers, "10", "15")]
    [InlineData("'model': 'graduated', " + Tiers, "0", "0")]
    [InlineData("'model': 'volume', " + Tiers, "10", "10")]
    [InlineData("'model': 'volume', " + Tiers, "12", "6")]
    [InlineData("'model': 'flat', 'unitPrice': 0.015", "5", "0.08")] // 0.075: half goes up
    [InlineData("'model': 'package', 'unitPrice': 25, 'packageSize': 5", "8", "50")]
    [InlineData("'model': 'package', 'unitPrice': 25", "8", "200")]
    [InlineData("'model': 'flat', 'unitPrice': 1, 'minimumCharge': 9.5", "3", "9.5")]
    [InlineData("'model': 'flat', 'unitPrice': 1, 'maximumCharge': 2.5, 'minimumCharge': 0", "3", "2.5")]
    [InlineData("'model': 'flat', 'unitPrice': 1, 'maximumCharge': 0", "3", "3")]
    public void Run_EachModel_IsTheOlderResult(string price, string quantity, string total)
    {
        var result = ScenarioRunner.Run(Read(price, quantity, total));

        Assert.Empty(result.Differences);
        Assert.Contains(ScenarioText.ClassicNote, ScenarioText.NotesOf(result));
    }

    [Fact]
    public void Run_LineIsRoundedOnce_UnlessStripesRoundingIsChosen()
    {
        const string price = "'model': 'tiered', 'tiers': [{'upTo': 1, 'unitPrice': 0.004}, {'unitPrice': 0.004}]";

        Assert.True(ScenarioRunner.Run(Read(price, "2", "0.01")).Passed);
        Assert.Equal(0, ScenarioRunner.Run(Read(price, "2", "0.01", "'rounding': 'stripe',")).Invoice.Total);
    }

    [Theory]
    [InlineData("'model': 'stepped', 'unitPrice': 1", "inputs.usageItems[0].priceConfig.model must be flat or tiered or graduated or volume or package")]
    [InlineData("'model': 'tiered'", "inputs.usageItems[0].priceConfig.tiers is required")]
    [InlineData("'model': 'tiered', 'tiers': [{'upTo': 10, 'unitPrice': 1}]", "inputs.usageItems[0].priceConfig.tiers[0].upTo must be inf: the last tier has no bound")]
    [InlineData("'model': 'tiered', 'tiers': [{'upTo': 0, 'unitPrice': 1}, {'unitPrice': 1}]", "inputs.usageItems[0].priceConfig.tiers[0].upTo must be above 0")]
    [InlineData("'model': 'flat', 'unitPrice': 1, 'minimumCharge': 0.005", "inputs.usageItems[0].priceConfig.minimumCharge has more than the 2 decimals of usd")]
    [InlineData("'model': 'package', 'unitPrice': 1, 'packageSize': 0", "inputs.usageItems[0].priceConfig.packageSize must be at least 1")]
    public void Read_BadPrice_NamesTheField(string price, string expected) =>
        Assert.StartsWith(expected, Assert.Throws<PricingException>(() => Read(price, "1", "1")).Message, StringComparison.Ordinal);

    [Fact]
    public void Run_OlderCommitmentsAndCredits_GoBeforeTax()
    {
        var result = ScenarioRunner.Run(Read(
            "'model': 'flat', 'unitPrice': 100", "1", "44", more: """
            'commitments': [{'amount': 50, 'applied': 20, 'startDate': '2026-01-31', 'endDate': '2026-06-30'}],
            'credits': [{'amount': 30, 'reason': 'promo', 'expiresAt': '2026-01-31'}, {'amount': 99, 'reason': 'gone', 'expiresAt': '2026-01-30'}],
            'taxRate': 10,
            """));

        Assert.Empty(result.Differences);
    }

    [Fact]
    public void Run_LastDigits_MayDifferByTheTolerance()
    {
        Assert.True(ScenarioRunner.Run(Read("'model': 'flat', 'unitPrice': 1", "1000", "1000.5")).Passed);
        Assert.False(ScenarioRunner.Run(Read("'model': 'flat', 'unitPrice': 1", "1000", "1000.6")).Passed);
    }

    [Theory]
    [InlineData("'model': 'volume', 'minimumCharge': 100, " + Tiers, "0.5")]
    [InlineData("'model': 'flat', 'unitPrice': 0.125, 'minimumCharge': 100", "0.125")]
    [InlineData("'model': 'tiered', 'minimumCharge': 24, " + Tiers, "2")]
    public void Run_UnitPrice_IsThatOfTheTier_OrWhatAUnitCameTo(string price, string unitPrice)
    {
        var scenario = Read(price, "12", "0");
        var expected = scenario.Expected! with { Lines = [scenario.Expected.Lines[0] with { UnitPrice = Make.D(unitPrice) }] };

        var result = ScenarioRunner.Run(scenario with { Expected = expected });

        Assert.DoesNotContain(result.Differences, difference => difference.Field.EndsWith("unitPrice", StringComparison.Ordinal));
    }

    private static Scenario Read(string price, string quantity, string total, string top = "", string more = "") => ScenarioReader.Read(Make.Json($$"""
        { {{top}} 'metadata': {'name': 'older'},
          'inputs': {'customerId': 'c', 'periodStart': '2026-01-01', 'periodEnd': '2026-01-31', {{more}}
            'usageItems': [{'metric': 'm', 'quantity': {{quantity}}, 'priceConfig': {'currency': 'USD', {{price}} } }]},
          'expected': {'total': {{total}}, 'lineItems': [{'metric': 'm', 'quantity': {{quantity}}}]} }
        """));
}
