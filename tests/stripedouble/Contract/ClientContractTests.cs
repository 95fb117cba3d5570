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

        Assert.Equal(
            table.Calls.Select(static call => call.Name).Order(StringComparer.Ordinal),
            requests.Select(request => table.CallOf(request.Method, request.Path).Name).Distinct().Order(StringComparer.Ordinal));
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
        var session = await client.V2.Billing.MeterEventSession.CreateAsync(new Stripe.V2.Billing.MeterEventSessionCreateOptions());
        await client.V2.Billing.MeterEventStream.CreateAsync(
            new Stripe.V2.Billing.MeterEventStreamCreateOptions
            {
                Events = [new Stripe.V2.Billing.MeterEventStreamCreateEventOptions { EventName = "tokens", Identifier = "c", Payload = payload }],
            },
            new RequestOptions { ApiKey = session.AuthenticationToken });
        await CallBillingAsync(stripe, client, meter.Id);
        await CallLegacyAsync(client);
    }

    private static async Task CallBillingAsync(TestDouble stripe, StripeClient client, string meter)
    {
        await client.V1.Accounts.GetSelfAsync();
        var customer = await client.V1.Customers.CreateAsync(new CustomerCreateOptions { Name = "One", Email = "one@example.com", Metadata = new() { ["a"] = "b" } });
        await client.V1.Customers.ListAsync(new CustomerListOptions { Limit = 1 });
        var product = await client.V1.Products.CreateAsync(new ProductCreateOptions { Name = "Tokens" });
        var price = await client.V1.Prices.CreateAsync(new PriceCreateOptions
        {
            Currency = "usd", UnitAmount = 5, Product = product.Id, Recurring = new PriceRecurringOptions { Interval = "month", UsageType = "metered", Meter = meter },
        });
        await client.V1.Prices.ListAsync(new PriceListOptions { Active = true, Limit = 1 });
        await client.V1.Prices.GetAsync(price.Id);
        var subscription = await client.V1.Subscriptions.CreateAsync(new SubscriptionCreateOptions { Customer = customer.Id, Items = [new() { Price = price.Id }] });
        await client.V1.Subscriptions.ListAsync(new SubscriptionListOptions { Limit = 100 });
        await client.V1.Subscriptions.GetAsync(subscription.Id);
        await client.V1.Subscriptions.UpdateAsync(subscription.Id, new SubscriptionUpdateOptions { Description = "changed" });
        await client.V1.SubscriptionItems.GetAsync(subscription.Items.Data[0].Id);
        await stripe.Host.AdvanceAsync(subscription.Items.Data[0].CurrentPeriodEnd - stripe.Now);
        var draft = (await client.V1.Invoices.ListAsync(new InvoiceListOptions { Status = "draft", Limit = 1 })).Single();
        await client.V1.Invoices.GetAsync(draft.Id);
        Assert.NotEmpty(await client.V1.Invoices.LineItems.ListAsync(draft.Id, new InvoiceLineItemListOptions { Limit = 100 }));
        await client.V1.Invoices.FinalizeInvoiceAsync(draft.Id);
    }

    /// <summary>What only old versions have.</summary>
    private static async Task CallLegacyAsync(StripeClient client)
    {
        var price = await SendAsync("/v1/prices", "currency=usd&unit_amount=3&product_data[name]=Old&recurring[interval]=month&recurring[usage_type]=metered");
        var subscription = await client.V1.Subscriptions.CreateAsync(new SubscriptionCreateOptions { Customer = "cus_1", Items = [new() { Price = (string)price["id"]! }] });
        var item = subscription.Items.Data[0];
        await SendAsync($"/v1/subscription_items/{item.Id}/usage_records", $"quantity=5&timestamp={new DateTimeOffset(item.CurrentPeriodStart).ToUnixTimeSeconds()}&action=set");
        await SendAsync($"/v1/subscription_items/{item.Id}/usage_record_summaries", null);

        async Task<JsonNode> SendAsync(string path, string? form)
        {
            var reply = await client.RawRequestAsync(
                form is null ? HttpMethod.Get : HttpMethod.Post, path, form, new RawRequestOptions { AdditionalHeaders = { ["Stripe-Version"] = "2024-06-20" } });
            return JsonNode.Parse(reply.Content)!;
        }
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
            var body = await response.Content.ReadAsStringAsync(cancellationToken);
            Bodies.Add(body.Length > 0 ? JsonNode.Parse(body)!.AsObject() : []);
            return response;
        }
    }
}
