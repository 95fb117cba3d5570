using System.Net;
using System.Text.Json.Nodes;
using Stripe;
using Stripe.Billing;
using StripeMeter.StripeDouble.Tests.Kit;

namespace StripeMeter.StripeDouble.Tests.Contract;

/// <summary>What the real client sends and what the double answers, held against the table.</summary>
public sealed class ClientContractTests
{
    [Fact]
    public async Task EveryCall_OfTheClient_KeepsTheTable_AndSoDoesEveryReply()
    {
        await using var stripe = await TestDouble.StartAsync();
        using var replies = new ReplyKeeper();
        using var http = new HttpClient(replies);
        await CallAllAsync(stripe, stripe.ClientWith(http));
        var table = new ContractTable();
        var requests = stripe.Host.Requests;
        Assert.Equal(requests.Count, replies.Bodies.Count);
        foreach (var (request, reply) in requests.Zip(replies.Bodies))
        {
            Assert.Empty(table.Faults(request.Method, request.Path, request.Parameters));
            Assert.Empty(table.Faults(request.Method, request.Path, reply));
        }

        Assert.Equal(table.Calls.Order(StringComparer.Ordinal), requests.Select(request => table.CallOf(request.Method, request.Path)).Distinct().Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("POST", "/v1/billing/meter_events", "event_name=x&payload[value]=1&colour=red", "colour is unknown")]
    [InlineData("POST", "/v1/billing/meter_events", "payload[value]=1", "event_name is missing")]
    [InlineData("POST", "/v1/billing/meter_events", "event_name=x&payload[value]=1&timestamp=now", "timestamp is no integer")]
    [InlineData("GET", "/v1/billing/meters", "status=broken", "status is none of [\"active\",\"inactive\"]")]
    public void Table_TellsWhatIsWrong(string method, string path, string form, string fault)
    {
        var parameters = form.Split('&').Select(static pair => KeyValuePair.Create(pair.Split('=')[0], pair.Split('=')[1])).ToList();
        Assert.Equal([fault], new ContractTable().Faults(method, path, parameters));
    }

    private static async Task CallAllAsync(TestDouble stripe, StripeClient client)
    {
        var meters = client.V1.Billing.Meters;
        var meter = await meters.CreateAsync(new MeterCreateOptions
        {
            DisplayName = "Tokens", EventName = "tokens", DefaultAggregation = new MeterDefaultAggregationOptions { Formula = "sum" },
            CustomerMapping = new MeterCustomerMappingOptions { EventPayloadKey = "who", Type = "by_id" },
            ValueSettings = new MeterValueSettingsOptions { EventPayloadKey = "amount" }, EventTimeWindow = "hour",
        });
        await meters.ListAsync(new MeterListOptions { Status = "active", Limit = 5 });
        await meters.GetAsync(meter.Id);
        await meters.UpdateAsync(meter.Id, new MeterUpdateOptions { DisplayName = "More tokens" });
        await meters.DeactivateAsync(meter.Id);
        await meters.ReactivateAsync(meter.Id);
        var payload = new Dictionary<string, string> { ["who"] = "cus_1", ["amount"] = "25.5" };
        await client.V1.Billing.MeterEvents.CreateAsync(new MeterEventCreateOptions { EventName = "tokens", Identifier = "a", Payload = payload, Timestamp = stripe.Now });
        await client.V2.Billing.MeterEvents.CreateAsync(new Stripe.V2.Billing.MeterEventCreateOptions { EventName = "tokens", Identifier = "b", Payload = payload, Timestamp = stripe.Now });
        await meters.EventSummaries.ListAsync(meter.Id, new MeterEventSummaryListOptions
        {
            Customer = "cus_1", StartTime = stripe.Now.Date, EndTime = stripe.Now.Date.AddDays(1), ValueGroupingWindow = "hour", Limit = 100,
        });
        await client.V1.Billing.MeterEventAdjustments.CreateAsync(new MeterEventAdjustmentCreateOptions
        {
            EventName = "tokens", Type = "cancel", Cancel = new MeterEventAdjustmentCancelOptions { Identifier = "a" },
        });
        await client.V2.Billing.MeterEventAdjustments.CreateAsync(new Stripe.V2.Billing.MeterEventAdjustmentCreateOptions
        {
            EventName = "tokens", Type = "cancel", Cancel = new Stripe.V2.Billing.MeterEventAdjustmentCreateCancelOptions { Identifier = "b" },
        });
    }

    /// <summary>Keeps the bodies of what passes, in the order of the calls.</summary>
    private sealed class ReplyKeeper() : DelegatingHandler(new SocketsHttpHandler())
    {
        public List<JsonObject> Bodies { get; } = [];

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await base.SendAsync(request, cancellationToken);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            await response.Content.LoadIntoBufferAsync(cancellationToken);
            Bodies.Add(JsonNode.Parse(await response.Content.ReadAsStringAsync(cancellationToken))!.AsObject());
            return response;
        }
    }
}
