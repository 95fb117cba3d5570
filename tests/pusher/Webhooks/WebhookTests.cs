using System.Collections.Concurrent;
using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using Stripe;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Time;
using StripeMeter.Pusher.Tests.Kit;
using StripeMeter.V1;
using IntentState = StripeMeter.Metering.Pushing.IntentState;

namespace StripeMeter.Pusher.Tests.Webhooks;

/// <summary>What Stripe tells of itself: who is believed, that nothing is done twice, and what comes of each event.</summary>
[Collection(nameof(WholeProcess))]
public sealed class WebhookTests
{
    private const string Secret = "whsec_tests";
    private const string Account = "acct_doubleHooks";
    private const string Meter =
        """
        {"id":"mtr_1","object":"billing.meter","event_name":"calls","status":"active","livemode":false,
         "customer_mapping":{"event_payload_key":"stripe_customer_id","type":"by_id"},
         "value_settings":{"event_payload_key":"value"},"default_aggregation":{"formula":"sum"}}
        """;

    private readonly ConcurrentDictionary<string, string> _answers = new() { ["/v1/account"] = $$"""{"object":"account","id":"{{Account}}"}""" };
    private readonly ConcurrentQueue<string> _taken = [];

    public static TheoryData<string, string> Refused => new()
    {
        { "no header", "" },
        { "another secret", EventUtility.GenerateSignatureHeader(Event("evt_1", "price.updated", "price_1"), "whsec_other", Now) },
        { "too old", EventUtility.GenerateSignatureHeader(Event("evt_1", "price.updated", "price_1"), Secret, Now - 301) },
        { "another body", EventUtility.GenerateSignatureHeader("{}", Secret, Now) },
    };

    private static long Now => PusherUnderTest.Clock.GetUtcNow().ToUnixTimeSeconds();

    [Theory, MemberData(nameof(Refused))]
    public async Task Receive_WithAWrongSignature_IsRefusedAndDoesNothing(string what, string signature)
    {
        await using var services = await OtherServices.StartAsync();
        await using var stripe = await StubbedStripe.StartAsync(Answer);
        await using var subject = await StartAsync(stripe, services);

        var refusal = await Assert.ThrowsAsync<RpcException>(() => ReceiveAsync(subject, Event("evt_1", "price.updated", "price_1"), signature));

        Assert.True(refusal.StatusCode == StatusCode.InvalidArgument, what);
        Assert.DoesNotContain(Secret, refusal.ToString(), StringComparison.Ordinal);
        Assert.Empty(services.Prices);
    }

    [Fact]
    public async Task Receive_OfWhatIsBadlySigned_IsCountedAndLogsNeitherSecretNorBody()
    {
        await using var subject = await PusherUnderTest.StartAsync(pushers: 0);
        using var logs = new CapturedLogs();
        await subject.StartPusherAsync(logs, ("LOG_LEVEL", "Trace"), ("STRIPE_WEBHOOK_SECRET", "whsec_51Secret"));
        var body = Event("evt_51Body", "price.updated", "price_51Body");
        string[] signatures = ["", "t=51Body", $"t={Now},v1=51Body", EventUtility.GenerateSignatureHeader(body, "whsec_other51Secret", Now)];

        foreach (var signature in signatures)
        {
            var refusal = await Assert.ThrowsAsync<RpcException>(() => ReceiveAsync(subject, body, signature));
            Assert.Equal(StatusCode.InvalidArgument, refusal.StatusCode);
            Assert.DoesNotContain("51", refusal.Status.Detail, StringComparison.Ordinal);
        }

        var counted = await subject.MetricAsync("stripe_webhooks_total");
        Assert.Equal(4, counted.Count);
        Assert.All(counted, line => Assert.Contains(
            line.Contains("outcome=\"refused\"", StringComparison.Ordinal) ? $"}} {signatures.Length}" : "} 0", line, StringComparison.Ordinal));
        Assert.Equal(signatures.Length, logs.Lines.Count(line => line.Contains("A webhook request was refused", StringComparison.Ordinal)));
        Assert.All(logs.Lines, line => Assert.DoesNotContain("51Secret", line, StringComparison.Ordinal));
        Assert.All(logs.Lines, line => Assert.DoesNotContain("51Body", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Receive_WithoutASecret_IsRefused()
    {
        await using var subject = await PusherUnderTest.StartAsync();

        var refusal = await Assert.ThrowsAsync<RpcException>(() => ReceiveAsync(subject, Event("evt_1", "price.updated", "price_1")));

        Assert.Equal(StatusCode.FailedPrecondition, refusal.StatusCode);
    }

    [Fact]
    public async Task Receive_TheSameEventAgain_IsTakenOnceAlsoByAnotherPusher()
    {
        await using var services = await OtherServices.StartAsync();
        await using var stripe = await StubbedStripe.StartAsync(Answer);
        await using var subject = await StartAsync(stripe, services);

        var first = await ReceiveAsync(subject, Event("evt_1", "price.updated", "price_1"));
        await Patience.UntilEqualAsync(1, () => Task.FromResult(services.Prices.Count));
        await subject.StopPushersAsync();
        await subject.StartPusherAsync(Settings(stripe, services));
        var second = await ReceiveAsync(subject, Event("evt_1", "price.updated", "price_1"));
        var other = await ReceiveAsync(subject, Event("evt_12", "price.updated", "price_2"));
        var ignored = await ReceiveAsync(subject, Event("evt_3", "charge.succeeded", "ch_1"));

        await Patience.UntilEqualAsync("price_1 price_2", () => Task.FromResult(string.Join(' ', services.Prices.Select(price => price.PriceId))));
        Assert.Equal(
            (false, true, false, true),
            (first.Already, second.Already, other.Already, ignored.Ignored));
        Assert.All(services.Prices, price => Assert.Equal("default", price.StripeAccount));
    }

    [Fact]
    public async Task ErrorReport_OnAnAcceptedEvent_ReopensItsIntent()
    {
        await using var services = await OtherServices.StartAsync();
        await using var stripe = await StubbedStripe.StartAsync(Answer);
        await using var subject = await StartAsync(stripe, services);
        await MapAsync(subject);
        await subject.CountAsync("calls", "cus_1", "7");
        await Patience.UntilEqualAsync(1, () => Task.FromResult(_taken.Count));
        var identifier = _taken.Single();
        await Patience.UntilAsync(async () => await subject.Store.Deltas.FindClosedAsync(identifier, CancellationToken.None) is not null);
        _answers["/v2/core/events/evt_thin"] =
            $$$"""
            {"id":"evt_thin","object":"v2.core.event","type":"v1.billing.meter.error_report_triggered","created":"2026-03-01T00:00:00Z","livemode":false,
             "related_object":{"id":"mtr_1","type":"billing.meter","url":"/v1/billing/meters/mtr_1"},
             "data":{"developer_message_summary":"There is 1 invalid event","validation_start":"2026-03-01T00:00:00Z","validation_end":"2026-03-01T00:00:10Z",
              "reason":{"error_count":2,"error_types":[{"code":"meter_event_customer_not_found","error_count":2,"sample_errors":[
               {"error_message":"No such customer.","request":{"identifier":"{{{identifier}}}"}},
               {"error_message":"No such customer.","request":{"identifier":"somebody else's"}}]}]} } }
            """;

        await ReceiveAsync(subject,
            """
            {"id":"evt_thin","object":"v2.core.event","type":"v1.billing.meter.error_report_triggered","created":"2026-03-01T00:00:00.000Z","livemode":false,
             "related_object":{"id":"mtr_1","type":"billing.meter","url":"/v1/billing/meters/mtr_1"}}
            """);

        await Patience.UntilEqualAsync(
            IntentState.Rejected, async () => (await subject.Store.Deltas.FindClosedAsync(identifier, CancellationToken.None))!.State);
        // The history is written first.
        await Patience.UntilAsync(async () => (await DocumentAsync(subject)).Rejections == 1);
        var document = await DocumentAsync(subject);
        Assert.Contains("meter_event_customer_not_found", document.Problem, StringComparison.Ordinal);
        Assert.Equal("7", document.Periods.Single().Outstanding.ToString());
    }

    [Fact]
    public async Task Invoice_InAnyOrder_SetsTheDeadlineOfThePeriodItBillsAlone()
    {
        await using var services = await OtherServices.StartAsync();
        await using var stripe = await StubbedStripe.StartAsync(Answer);
        await using var subject = await StartAsync(stripe, services);
        await MapAsync(subject);
        await subject.CountAsync("calls", "cus_1", "7");
        await Patience.UntilEqualAsync(1, () => Task.FromResult(_taken.Count));
        var month = PusherUnderTest.ThisMonth;
        var (start, end) = (month.Start.ToUnixSeconds(), month.End.ToUnixSeconds());
        _answers["/v1/invoices/in_1/lines"] =
            $$"""
            {"object":"list","has_more":false,"url":"/v1/invoices/in_1/lines","data":[
             {"id":"il_1","object":"line_item","period":{"start":{{start}},"end":{{end}} },
              "pricing":{"type":"price_details","price_details":{"price":"price_1"} } }]}
            """;
        _answers["/v1/prices/price_1"] = """{"id":"price_1","object":"price","recurring":{"interval":"month","interval_count":1,"usage_type":"metered","meter":"mtr_1"} }""";
        // Another subscription's invoice, with a fee for the same month: final sooner, and nothing to this meter.
        _answers["/v1/prices/price_fee"] = """{"id":"price_fee","object":"price","recurring":{"interval":"month","interval_count":1,"usage_type":"licensed"} }""";
        _answers["/v1/invoices/in_2"] = $$"""{"id":"in_2","object":"invoice","status":"draft","customer":"cus_1","created":{{end}},"automatically_finalizes_at":{{end + 60}}}""";
        _answers["/v1/invoices/in_2/lines"] = _answers["/v1/invoices/in_1/lines"].Replace("price_1", "price_fee", StringComparison.Ordinal);
        // A flat fee of the month that runs, paid in advance with the invoice of the month before: no end of this one.
        _answers["/v1/invoices/in_0"] = $$"""{"id":"in_0","object":"invoice","status":"draft","customer":"cus_1","created":{{start}},"automatically_finalizes_at":{{start + 3600}}}""";
        _answers["/v1/invoices/in_0/lines"] = _answers["/v1/invoices/in_1/lines"];
        _answers["/v1/invoices/in_1"] = $$"""{"id":"in_1","object":"invoice","status":"draft","customer":"cus_1","created":{{end}},"automatically_finalizes_at":{{end + 7200}}}""";

        await ReceiveAsync(subject, Event("evt_0", "invoice.created", "in_0"));
        await ReceiveAsync(subject, Event("evt_2", "invoice.created", "in_2"));
        await ReceiveAsync(subject, Event("evt_1", "invoice.created", "in_1"));

        await Patience.UntilEqualAsync(month.End + TimeSpan.FromHours(2), () => DeadlineAsync(subject));
        _answers["/v1/invoices/in_1"] =
            $$$"""{"id":"in_1","object":"invoice","status":"open","customer":"cus_1","created":{{{end}}},"status_transitions":{"finalized_at":{{{end + 600}}} } }""";
        await ReceiveAsync(subject, Event("evt_5", "invoice.finalized", "in_1"));
        await Patience.UntilEqualAsync(month.End + TimeSpan.FromMinutes(10), () => DeadlineAsync(subject));
        // What was true when it was sent does not matter: the invoice is final by now.
        await ReceiveAsync(subject, Event("evt_3", "invoice.updated", "in_1"));
        await ReceiveAsync(subject, Event("evt_4", "price.updated", "price_1"));
        await Patience.UntilEqualAsync(1, () => Task.FromResult(services.Prices.Count));
        Assert.Equal(month.End + TimeSpan.FromMinutes(10), await DeadlineAsync(subject));
    }

    [Fact]
    public async Task Subscription_ThatIsAnchored_ChangesTheAnchorOfItsReferencesOnce()
    {
        await using var services = await OtherServices.StartAsync();
        await using var stripe = await StubbedStripe.StartAsync(Answer);
        await using var subject = await StartAsync(stripe, services);
        await MapAsync(subject, mapping => mapping.CustomerRule = new CustomerRule { Table = { ["ref_1"] = "cus_1", ["ref_2"] = "cus_2" }, TableOnly = true });
        var anchor = new DateTimeOffset(2026, 1, 31, 9, 30, 12, TimeSpan.Zero).ToUnixTimeSeconds();
        var start = new DateTimeOffset(2026, 2, 28, 9, 30, 12, TimeSpan.Zero).ToUnixTimeSeconds();
        _answers["/v1/subscriptions/sub_1"] = Subscription("active", anchor, start, "month");
        _answers["/v1/subscriptions/sub_2"] = Subscription("active", anchor, start, "year");
        // A price that came into being within the month cannot bill what was used before.
        _answers["/v1/subscriptions/sub_4"] = Subscription("active", anchor, start, "month", priceCreated: start + 600);
        _answers["/v1/subscriptions/sub_3"] = Subscription("canceled", anchor + 86_400, start, "month");

        await subject.CountAsync("calls", "ref_1", "1");
        await Patience.UntilEqualAsync(1, () => Task.FromResult(_taken.Count));

        await ReceiveAsync(subject, Event("evt_1", "customer.subscription.created", "sub_1"));
        await Patience.UntilEqualAsync(1, () => Task.FromResult(services.Anchors.Count));
        await ReceiveAsync(subject, Event("evt_2", "customer.subscription.updated", "sub_1"));
        await ReceiveAsync(subject, Event("evt_3", "customer.subscription.updated", "sub_2"));
        await ReceiveAsync(subject, Event("evt_4", "customer.subscription.updated", "sub_3"));
        await ReceiveAsync(subject, Event("evt_5", "price.updated", "price_1"));

        await Patience.UntilEqualAsync(1, () => Task.FromResult(services.Prices.Count));
        Assert.Equal(start + 90, (await DocumentAsync(subject)).BilledFrom.ToUnixSeconds());
        Assert.Contains("stripe_subscriptions_not_followed_total", await subject.MetricsAsync(), StringComparison.Ordinal);
        var change = Assert.Single(services.Anchors);
        Assert.Equal(
            ("acme", "ref_1", 31, 570, start, "sub_1/evt_1"),
            (change.TenantId, change.CustomerRef, change.Anchor.Day, change.Anchor.Minute, change.EffectiveTime.Seconds, change.ChangeId));

        await ReceiveAsync(subject, Event("evt_6", "customer.subscription.updated", "sub_4"));
        await Patience.UntilEqualAsync(start + 600, async () => (await DocumentAsync(subject)).BilledFrom.ToUnixSeconds());
    }

    [Fact]
    public async Task Subscription_WhoseItemChangesItsPrice_IsBilledFromThere()
    {
        await using var services = await OtherServices.StartAsync();
        await using var stripe = await StubbedStripe.StartAsync(Answer);
        await using var subject = await StartAsync(stripe, services);
        await MapAsync(subject);
        await subject.CountAsync("calls", "cus_1", "1");
        await Patience.UntilEqualAsync(1, () => Task.FromResult(_taken.Count));
        var start = PusherUnderTest.ThisMonth.Start.ToUnixSeconds();
        _answers["/v1/subscriptions/sub_1"] = Subscription("active", start, start, "month");
        var changed = start + 7_000;

        await ReceiveAsync(subject,
            $$$"""
            {"id":"evt_1","object":"event","type":"customer.subscription.updated","created":{{{changed}}},"livemode":false,"data":{
             "object":{"id":"sub_1","items":{"data":[{"id":"si_1","price":{"id":"price_1"} }]} },
             "previous_attributes":{"items":{"data":[{"id":"si_1","price":{"id":"price_0"} }]} } } }
            """);

        await Patience.UntilEqualAsync(changed, async () => (await DocumentAsync(subject)).BilledFrom.ToUnixSeconds());
        // One that comes late and out of order takes nothing of that back.
        await ReceiveAsync(subject, Event("evt_2", "customer.subscription.updated", "sub_1"));
        await ReceiveAsync(subject, Event("evt_3", "price.updated", "price_1"));
        await Patience.UntilEqualAsync(1, () => Task.FromResult(services.Prices.Count));
        Assert.Equal(changed, (await DocumentAsync(subject)).BilledFrom.ToUnixSeconds());
    }

    private static string Subscription(string status, long anchor, long start, string interval, long priceCreated = 1_700_000_000) =>
        $$$"""
        {"id":"sub_1","object":"subscription","status":"{{{status}}}","customer":"cus_1","billing_cycle_anchor":{{{anchor}}},
         "items":{"object":"list","data":[{"id":"si_1","object":"subscription_item","created":{{{start + 90}}},"current_period_start":{{{start}}},"current_period_end":{{{start + 2_592_000}}},
          "price":{"id":"price_1","object":"price","created":{{{priceCreated}}},"recurring":{"interval":"{{{interval}}}","interval_count":1,"usage_type":"metered","meter":"mtr_1"} } }]} }
        """;

    private static string Event(string id, string type, string objectId) =>
        $$$"""{"id":"{{{id}}}","object":"event","type":"{{{type}}}","created":{{{Now.ToString(CultureInfo.InvariantCulture)[..7]}}}000,"livemode":false,"data":{"object":{"id":"{{{objectId}}}"} } }""";

    private static Task<ReceiveStripeEventResponse> ReceiveAsync(PusherUnderTest subject, string payload, string? signature = null) =>
        subject.Webhooks.ReceiveStripeEventAsync(new ReceiveStripeEventRequest
        {
            Payload = ByteString.CopyFromUtf8(payload), Signature = signature ?? EventUtility.GenerateSignatureHeader(payload, Secret, Now),
        }).ResponseAsync;

    private static async Task<Instant?> DeadlineAsync(PusherUnderTest subject) => (await DocumentAsync(subject)).Periods.Single().Deadline;

    private static async Task<DeltaDocument> DocumentAsync(PusherUnderTest subject) =>
        (await subject.Store.Deltas.ListAsync(new(), CancellationToken.None)).Single();

    private static async Task<PusherUnderTest> StartAsync(StubbedStripe stripe, OtherServices services)
    {
        var subject = await PusherUnderTest.StartAsync(pushers: 0);
        await subject.StartPusherAsync(Settings(stripe, services));
        return subject;
    }

    private static (string Name, string Value)[] Settings(StubbedStripe stripe, OtherServices services) =>
        [("STRIPE_API_BASE", stripe.BaseAddress.ToString()), ("STRIPE_WEBHOOK_SECRET", $"whsec_former,{Secret}"), services.Setting];

    private static Task<Mapping> MapAsync(PusherUnderTest subject, Action<Mapping>? change = null)
    {
        var mapping = new Mapping
        {
            TenantId = PusherUnderTest.Tenant, Metric = "calls", Aggregation = Aggregation.Sum, StripeAccount = "default", MeterId = "mtr_1", Active = true,
        };
        change?.Invoke(mapping);
        return subject.Mappings.CreateMappingAsync(new CreateMappingRequest { Mapping = mapping }).ResponseAsync;
    }

    private (int Status, string Body) Answer(Microsoft.AspNetCore.Http.HttpRequest request)
    {
        var path = request.Path.ToString();
        if (path == "/v1/billing/meters/mtr_1")
            return (200, Meter);
        if (path.EndsWith("/event_summaries", StringComparison.Ordinal))
            return (200, """{"object":"list","data":[],"has_more":false,"url":"/v1/billing/meters/mtr_1/event_summaries"}""");
        if (path == "/v1/billing/meter_events")
        {
            var identifier = request.Form["identifier"].ToString();
            _taken.Enqueue(identifier);
            return (200, $$$"""{"object":"billing.meter_event","identifier":"{{{identifier}}}","event_name":"calls","payload":{},"livemode":false}""");
        }

        return _answers.TryGetValue(path, out var body) ? (200, body) : (404, """{"error":{"type":"invalid_request_error","message":"No such thing."}}""");
    }
}
