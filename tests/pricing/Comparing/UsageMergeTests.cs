using CsCheck;
using StripeMeter.Metering.Pricing.Comparing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Text;

namespace StripeMeter.Pricing.Tests.Comparing;

public sealed class UsageMergeTests
{
    private static readonly string[] Customers = ["a", "aa", "b", "é", "\uFFFD", "\U0001F600", "\U0001F601x"];

    /// <summary>Whatever the metrics hold: every customer once, in the order of the store, with all of its usage.</summary>
    [Fact]
    public void ByCustomer_AnySeries_IsTheirTableByCustomer() =>
        Gen.Bool.Array[Customers.Length].Array[0, 4].Sample(table =>
        {
            var series = table.Select((row, metric) => new MetricSeries($"m{metric}", Usage(row))).ToArray();

            var merged = UsageMerge.ByCustomerAsync(series, TestContext.Current.CancellationToken).ToBlockingEnumerable(TestContext.Current.CancellationToken).ToList();

            var expected = Customers.Order(CodePointOrder.Instance)
                .Select(customer => (customer, Metrics: string.Join(' ', table.Index().Where(row => row.Item[Array.IndexOf(Customers, customer)]).Select(row => $"m{row.Index}"))))
                .Where(row => row.Metrics.Length > 0);
            Assert.Equal(expected, merged.Select(usage => (usage.Customer, string.Join(' ', usage.Quantities.Select(quantity => quantity.Metric).Order()))));
        });

    private static async IAsyncEnumerable<(string Customer, Quantity Quantity)> Usage(bool[] row)
    {
        await Task.CompletedTask;
        foreach (var customer in Customers.Where((_, index) => row[index]).Order(CodePointOrder.Instance))
            yield return (customer, Quantity.One);
    }
}
