using System.Collections.Concurrent;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using StripeMeter.Pusher.Tests.Kit;
using StripeMeter.V1;

namespace StripeMeter.Pusher.Tests.Pushing;

/// <summary>Subscription items from before there were meters: usage records that are set, by a pinned version of the API.</summary>
public sealed class LegacyTests
{
    private const string Price =
        """{"id":"price_1","object":"price","currency":"usd","recurring":{"interval":"month","interval_count":1,"usage_type":"metered"}}""";

    private readonly ConcurrentQueue<UsageRecord> _taken = [];
    private int _failures;

    [Fact]
    public async Task Push_OfALegacyPrice_SetsTheWholeUnitsOfThePeriod()
    {
        await using var stripe = await StubbedStripe.StartAsync(Answer);
        await using var subject = await StartAsync(stripe);
        var mapping = await CreateAsync(subject, new CustomerRule { TableOnly = true, Table = { ["ref"] = "si_1" } });
        _failures = 1;

        await subject.CountAsync("calls", "ref", "10.75");
        await Patience.UntilEqualAsync("10", Last);
        await subject.CountAsync("calls", "ref", "0.5");
        await Patience.UntilEqualAsync("11", Last);
        await subject.CountAsync("calls", "ref", "-4");

        await Patience.UntilEqualAsync("7", Last);
        Assert.Equal((MeterSink.UsageRecords, "price_1"), (mapping.MeterSink, mapping.MeterId));
        var start = PusherUnderTest.ThisMonth.Start.ToUnixSeconds();
        Assert.All(_taken, record => Assert.Equal(("si_1", "set", "2024-06-20", $"{start}"), (record.Item, record.Action, record.Version, record.Timestamp)));
        Assert.Equal(3, _taken.Select(record => record.Key.Split('#')[0]).Distinct().Count());
    }

    [Fact]
    public async Task Create_OfALegacyPrice_NeedsATableOfItems()
    {
        await using var stripe = await StubbedStripe.StartAsync(Answer);
        await using var subject = await StartAsync(stripe);

        foreach (var rule in (CustomerRule[])[new(), new() { TableOnly = true, Table = { ["ref"] = "cus_1" } }, new() { Table = { ["ref"] = "si_1" } }])
        {
            var refusal = await Assert.ThrowsAsync<RpcException>(() => CreateAsync(subject, rule));
            Assert.Contains("mapping.customer_rule", refusal.Status.Detail, StringComparison.Ordinal);
        }
    }

    private Task<string> Last() => Task.FromResult(_taken.LastOrDefault()?.Quantity ?? "");

    private static async Task<PusherUnderTest> StartAsync(StubbedStripe stripe)
    {
        var subject = await PusherUnderTest.StartAsync(pushers: 0);
        await subject.StartPusherAsync(("STRIPE_API_BASE", stripe.BaseAddress.ToString()));
        return subject;
    }

    private static Task<Mapping> CreateAsync(PusherUnderTest subject, CustomerRule rule) => subject.Mappings.CreateMappingAsync(new CreateMappingRequest
    {
        Mapping = new Mapping
        {
            TenantId = PusherUnderTest.Tenant, Metric = "calls", Aggregation = Aggregation.Sum, StripeAccount = "default", PriceId = "price_1",
            Active = true, CustomerRule = rule,
        },
    }).ResponseAsync;

    private (int Status, string Body) Answer(HttpRequest request)
    {
        if (request.Path == "/v1/account")
            return (200, """{"object":"account","id":"acct_doubleLegacy"}""");
        if (request.Path == "/v1/prices/price_1")
            return (200, Price);
        if (request.Path == "/v1/subscription_items/si_1/usage_records")
        {
            var form = request.Form;
            _taken.Enqueue(new UsageRecord(
                "si_1", form["quantity"].ToString(), form["timestamp"].ToString(), form["action"].ToString(),
                request.Headers["Stripe-Version"].ToString(), request.Headers["Idempotency-Key"].ToString()));
            return Interlocked.Decrement(ref _failures) >= 0
                ? (500, """{"error":{"type":"api_error","message":"Sorry."}}""")
                : (200, """{"object":"usage_record","id":"mbur_1"}""");
        }

        return (404, """{"error":{"type":"invalid_request_error","message":"No such thing."}}""");
    }

    private sealed record UsageRecord(string Item, string Quantity, string Timestamp, string Action, string Version, string Key);
}
