using StripeMeter.Metering.Pricing.Comparing;
using StripeMeter.Metering.Pricing.Invoicing;
using StripeMeter.Pricing.Tests.Kit;

namespace StripeMeter.Pricing.Tests.Comparing;

public sealed class InvoiceComparisonTests
{
    private static readonly Invoice Expected = Make.Invoice(
        InvoiceTerms.None, new UsageItem("credits", Make.Q("1031"), Make.Graduated("1000:0+900 inf:3.6")), Make.Item(50));

    [Fact]
    public void Compare_StripesLines_Agree() => Assert.Empty(Compare(
        ("il_1", "credits", "1000", 0), ("il_2", "credits", "0", 900), ("il_3", "credits", "31", 112), ("il_4", "credits", "0", 0), ("il_5", "calls", "50", 50)));

    [Fact]
    public void Compare_PartsPutTogether_Agree() =>
        Assert.Empty(Compare(("il_1", "credits", "1031", 1_012), ("il_2", "calls", "50", 50)));

    [Fact]
    public void Compare_OtherAmount_NamesTheLine()
    {
        var difference = Assert.Single(Compare(("il_2", "credits", "0", 900), ("il_3", "credits", "31", 111), ("il_5", "calls", "50", 50)));

        Assert.Equal(("credits", "il_3", 112L, 111L), (difference.Metric, difference.LineId, difference.Expected, difference.Billed));
        Assert.Contains("rounded to 1.12", difference.Explanation, StringComparison.Ordinal);
    }

    [Fact]
    public void Compare_MissingAndForeignLines_AreNamed()
    {
        var differences = Compare(("il_2", "credits", "0", 900), ("il_3", "credits", "31", 112), ("il_9", "tokens", "1", 7));

        Assert.Equal((IEnumerable<(string, string?, long?, long?)>)[("calls", null, 50L, null), ("tokens", "il_9", null, 7L)], differences.Select(found =>
            (found.Metric, found.LineId, found.Expected, found.Billed)));
    }

    [Fact]
    public void Compare_FlatAmountLeftOut_IsTheOneDifference()
    {
        var difference = Assert.Single(Compare(("il_3", "credits", "31", 112), ("il_5", "calls", "50", 50)));

        Assert.Equal((900L, (string?)null), (difference.Expected, difference.LineId));
    }

    private static IReadOnlyList<LineDifference> Compare(params (string Id, string Metric, string Quantity, long Amount)[] lines) =>
        InvoiceComparison.Compare(Expected, [.. lines.Select(line => new BilledLine(line.Id, line.Metric, Make.Q(line.Quantity), line.Amount))]);
}
