using System.Globalization;
using Google.Rpc;
using Grpc.Core;
using Stripe;
using StripeMeter.Gateway.Tests.Kit;
using StripeMeter.V1;
using Xunit;
using CustomerChange = StripeMeter.V1.CustomerChange;
using SimulationCalls = StripeMeter.V1.SimulationService.SimulationServiceClient;

namespace StripeMeter.Gateway.Tests.Pricing;

/// <summary>What if, by gRPC: over counters that come in pages, and over usage that is sent along.</summary>
public sealed class PriceComparisonTests : IAsyncLifetime
{
    private const string Cheaper = """{"prices":{"calls":{"currency":"usd","unit_amount":4}}}""";
    private readonly RunningPricing _running = new();
    private readonly Dictionary<string, List<Counter>> _counters = [];

    public async ValueTask InitializeAsync()
    {
        await _running.InitializeAsync();
        _running.Backend.ListCounters = Page;
    }

    public ValueTask DisposeAsync() => _running.DisposeAsync();

    [Fact]
    public async Task Compare_CountersOfSeveralMetrics_AreOneBillACustomer()
    {
        Count("calls", ("a", "10"), ("b", "20"), ("\U0001F600", "1"));
        Count("seats", ("b", "2"), ("\uFFFD", "3"));

        var (start, changes, summary) = await CompareAsync(
            """{"prices":{"calls":{"currency":"usd","unit_amount":5},"seats":{"currency":"usd","unit_amount":100}}}""",
            """{"prices":{"calls":{"currency":"usd","unit_amount":6},"seats":{"currency":"usd","unit_amount":50}}}""");

        Assert.Equal(("usd", "calls seats"), (start.Currency, string.Join(' ', start.Metrics)));
        Assert.Equal(
            [("a", 50, 60), ("b", 300, 220), ("\uFFFD", 300, 150), ("\U0001F600", 5, 6)],
            changes.Select(change => (change.CustomerRef, change.Before, change.After)));
        Assert.Equal((4, 2, 2, 655, 436), (summary.Customers, summary.Winners, summary.Losers, summary.TotalBefore, summary.TotalAfter));
        Assert.Equal("\uFFFD", summary.TopWinners[0].CustomerRef);
    }

    [Fact]
    public async Task Compare_ManyCustomers_ComeInPages()
    {
        Count("calls", [.. Enumerable.Range(0, 2_500).Select(number => ($"c{number:D5}", number.ToString(CultureInfo.InvariantCulture)))]);

        var (_, changes, summary) = await CompareAsync("""{"prices":{"calls":{"currency":"usd","unit_amount":5}}}""", Cheaper);

        Assert.Equal((2_500, 2_500, 2_499, 1), (changes.Count, summary.Customers, summary.Winners, summary.Unchanged));
        Assert.Equal(summary.TotalAfter, changes.Sum(change => change.After));
        Assert.Equal(summary.Customers, summary.Distribution.Sum(part => part.Customers));
    }

    [Fact]
    public async Task Compare_WithoutAListBefore_TakesTheMappedPricesAndAggregations()
    {
        Count("calls", ("a", "10"));
        await MapAsync("calls", Aggregation.Max);

        var (_, changes, _) = await CompareAsync("", Cheaper);

        Assert.Equal(("a", 28L, 16L), (changes[0].CustomerRef, changes[0].Before, changes[0].After));
    }

    [Fact]
    public async Task Compare_MappedPriceThatCannotBeComputed_IsAFailedPrecondition()
    {
        await MapAsync("calls", Aggregation.Sum, options => options.Recurring = new PriceRecurringOptions { Interval = "month", UsageType = "licensed" });

        var error = await Assert.ThrowsAsync<RpcException>(() => CompareAsync("", Cheaper));

        Assert.Equal(StatusCode.FailedPrecondition, error.StatusCode);
        Assert.Contains("'calls'", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Compare_UsageSentAlong_AsksNoCounters()
    {
        Count("calls", ("a", "10"));

        var (_, changes, summary) = await CompareAsync(
            """{"prices":{"calls":{"currency":"usd","unit_amount":5}}}""", Cheaper,
            request => request.Usage.Add(new RecordedUsage { CustomerRef = "z", Quantities = { ["calls"] = "2.5" } }));

        Assert.Equal(("z", 13L, 10L), (changes[0].CustomerRef, changes[0].Before, changes[0].After));
        Assert.Equal(1, summary.Customers);
    }

    [Fact]
    public async Task Compare_SummaryOnly_LeavesTheCustomersOut()
    {
        Count("calls", ("a", "10"));

        var (_, changes, summary) = await CompareAsync(Cheaper, Cheaper, request => request.SummaryOnly = true);

        Assert.Equal((0, 1, 1), (changes.Count, summary.Customers, summary.Unchanged));
    }

    [Theory]
    [InlineData("", "", "after_json")]
    [InlineData("", "{}", "after_json.prices")]
    [InlineData("", Cheaper, "before_json")]
    [InlineData(Cheaper, """{"prices":{"calls":{"currency":"usd","unit_amount":-4}}}""", "after_json.prices.calls.unit_amount")]
    [InlineData(Cheaper, """{"prices":{"calls":{"currency":"eur","unit_amount":4}}}""", "after_json.prices")]
    [InlineData(Cheaper, """{"prices":{"calls":null}}""", "after_json.prices.calls")]
    [InlineData(Cheaper, """{"prices":{"calls":{"currency":"usd","unit_amount":4}},"taxRate":101}""", "after_json.taxRate")]
    public async Task Compare_BadList_NamesTheField(string before, string after, string field)
    {
        var error = await Assert.ThrowsAsync<RpcException>(() => CompareAsync(before, after));

        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        Assert.Equal(field, error.GetRpcStatus()!.GetDetail<BadRequest>()!.FieldViolations[0].Field);
    }

    private async Task<(ComparisonStart Start, List<CustomerChange> Changes, ComparisonSummary Summary)> CompareAsync(
        string before, string after, Action<ComparePricesRequest>? change = null)
    {
        var request = new ComparePricesRequest { TenantId = "acme", BeforeJson = before, AfterJson = after };
        change?.Invoke(request);
        using var call = new SimulationCalls(_running.Channel).ComparePrices(request, cancellationToken: TestContext.Current.CancellationToken);
        var parts = new List<ComparePricesResponse>();
        await foreach (var part in call.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken))
            parts.Add(part);
        return (parts[0].Start, [.. parts.Where(part => part.Changes is not null).SelectMany(part => part.Changes.Changes)], parts[^1].Summary);
    }

    private void Count(string metric, params (string Customer, string Sum)[] usage) =>
        _counters[metric] = [.. usage.Select(one => new Counter { Metric = metric, CustomerRef = one.Customer, Sum = one.Sum, Count = 1, Min = "1", Max = "4", Last = "2" })];

    private ListCountersResponse Page(ListCountersRequest request)
    {
        var after = request.PageToken.Length == 0 ? 0 : int.Parse(request.PageToken, CultureInfo.InvariantCulture);
        var all = _counters.GetValueOrDefault(request.Metric, []);
        var page = new ListCountersResponse { Counters = { all.Skip(after).Take(request.PageSize) } };
        if (after + request.PageSize < all.Count)
            page.NextPageToken = (after + request.PageSize).ToString(CultureInfo.InvariantCulture);
        return page;
    }

    private async Task MapAsync(string metric, Aggregation aggregation, Action<PriceCreateOptions>? change = null) =>
        _running.Backend.Mappings.Add(metric, new Mapping
        {
            Id = metric, TenantId = "acme", Metric = metric, Aggregation = aggregation, Active = true, StripeAccount = "default",
            PriceId = await _running.Stripe.AddAsync("usd", 7m, change),
        });
}
