using System.Net;
using Stripe;
using Stripe.Events;
using Stripe.V2.Billing;
using StripeMeter.StripeDouble.Tests.Kit;

namespace StripeMeter.StripeDouble.Tests;

public sealed class MeterEventStreamTests
{
    [Fact]
    public async Task Stream_WithTheTokenOfASession_CountsABatchAsV1Does()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        var session = await stripe.OpenStreamAsync();
        Assert.Equal((stripe.Now, stripe.Now.AddMinutes(15), false), (session.Created, session.ExpiresAt, session.Livemode));

        await stripe.SendAsync("1", "v1");
        await SendAsync(stripe, session, [.. Enumerable.Range(0, 100).Select(number => Event($"id {number}", "1.5"))]);

        Assert.Equal(151, await stripe.TotalAsync(meter));
        await Refused.AsAsync(HttpStatusCode.BadRequest, () => stripe.SendAsync("1", "id 99"));
        // A known identifier in a stream is dropped, and nobody is told.
        await SendAsync(stripe, session, [Event("v1", "1"), Event("id 5", "1"), Event("new", "1")]);
        Assert.Equal(152, await stripe.TotalAsync(meter));
    }

    [Fact]
    public async Task Stream_AfterAQuarterOfAnHour_NeedsAnotherSession()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        var session = await stripe.OpenStreamAsync();
        await stripe.Host.AdvanceAsync(TimeSpan.FromMinutes(15) - TimeSpan.FromSeconds(1));
        await SendAsync(stripe, session, [Event("a", "1")]);
        await stripe.Host.AdvanceAsync(TimeSpan.FromSeconds(1));

        var refusal = await Assert.ThrowsAsync<Stripe.V2.TemporarySessionExpiredException>(() => SendAsync(stripe, session, [Event("b", "1")]));

        Assert.Equal("billing_meter_event_session_expired", refusal.StripeError.Code);
        await stripe.RestartAsync();
        await SendAsync(stripe, await stripe.OpenStreamAsync(), [Event("b", "1")]);
        Assert.Equal(2, await stripe.TotalAsync(meter));
    }

    [Fact]
    public async Task Stream_WithAKey_AndOtherCallsWithAToken_AreRefused()
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.CreateMeterAsync();
        var session = await stripe.OpenStreamAsync();
        await Refused.AsAsync(HttpStatusCode.Unauthorized, () => stripe.Client.V2.Billing.MeterEventStream.CreateAsync(Batch([Event("a", "1")])));
        Assert.Equal(401, (await stripe.SendRawAsync(HttpMethod.Get, "/v1/billing/meters", key: session.AuthenticationToken)).Status);
        Assert.Equal(401, (await stripe.SendRawAsync(HttpMethod.Post, "/v2/billing/meter_event_stream", key: null)).Status);
        Assert.Empty(stripe.Host.ReadEvents());
    }

    [Fact]
    public async Task Stream_OfAConnectedAccount_CountsThere()
    {
        await using var stripe = await TestDouble.StartAsync();
        var there = new RequestOptions { StripeAccount = (await stripe.Client.V1.Accounts.CreateAsync(new AccountCreateOptions { Type = "standard" })).Id };
        await stripe.Client.V1.Billing.Meters.CreateAsync(
            new Stripe.Billing.MeterCreateOptions
            {
                DisplayName = "t", EventName = "tokens", DefaultAggregation = new Stripe.Billing.MeterDefaultAggregationOptions { Formula = "sum" },
            },
            there);
        await SendAsync(stripe, await stripe.OpenStreamAsync(there), [Event("a", "5")]);
        Assert.Empty(stripe.Host.ReadEvents());
        Assert.Equal(["5"], stripe.Host.ReadEvents(account: there.StripeAccount).Select(static one => one.Value));
    }

    [Fact]
    public async Task Stream_WhatIsWrongWithAnEvent_IsReportedAfterTheAnswerOnly()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var stripe = await TestDouble.StartAsync(options => options with
        {
            WebhookUrl = receiver.Url, WebhookSecret = WebhookReceiver.Secret, RequireKnownCustomers = true,
        });
        var meter = await stripe.CreateMeterAsync();
        var archived = await stripe.CreateMeterAsync("old");
        await stripe.Client.V1.Billing.Meters.DeactivateAsync(archived.Id);
        var customer = (await stripe.Client.V1.Customers.CreateAsync(new CustomerCreateOptions { Name = "c" })).Id;
        var session = await stripe.OpenStreamAsync();

        await SendAsync(stripe, session,
        [
            Event("good", "1", customer), Event("no customer", "1", customer, customerKey: "other"), Event("no value", "1", customer, valueKey: "other"),
            Event("bad value", "1e3", customer), Event("digits", "1234567890.123456", customer), Event("stranger", "1", "cus_none"),
            Event("old", "1", customer, at: stripe.Now.AddDays(-36)), Event("early", "1", customer, at: stripe.Now.AddMinutes(6)),
            Event("archived", "1", customer, eventName: "old"), Event("nameless", "1", customer, eventName: "none"),
        ]);
        await stripe.Host.AdvanceAsync(TimeSpan.FromSeconds(10));

        Assert.Equal(1, await stripe.TotalAsync(meter, customer));
        var reports = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var notice in receiver.Thin<V1BillingMeterErrorReportTriggeredEventNotification>(stripe.Client))
        {
            foreach (var type in (await notice.FetchEventAsync()).Data.Reason.ErrorTypes)
                reports.Add(type.SampleErrors.Single().Request.Identifier, $"{type.Code} of {(notice.RelatedObject.Id == meter.Id ? "tokens" : "old")}");
        }

        var nameless = await receiver.Thin<V1BillingMeterNoMeterFoundEventNotification>(stripe.Client).Single().FetchEventAsync();
        Assert.Equal(("no_meter", "nameless"), (nameless.Data.Reason.ErrorTypes[0].Code, nameless.Data.Reason.ErrorTypes[0].SampleErrors[0].Request.Identifier));
        Assert.Equal(
            [
                ("archived", "archived_meter of old"), ("bad value", "meter_event_invalid_value of tokens"),
                ("digits", "meter_event_value_too_many_digits of tokens"), ("early", "timestamp_in_future of tokens"),
                ("no customer", "meter_event_no_customer_defined of tokens"), ("no value", "meter_event_value_not_found of tokens"),
                ("old", "timestamp_too_far_in_past of tokens"), ("stranger", "meter_event_customer_not_found of tokens"),
            ],
            reports.Select(static pair => (pair.Key, pair.Value)));
    }

    [Fact]
    public async Task Stream_UnderFaults_TakesABatchOnceOrNotAtAll()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        var session = await stripe.OpenStreamAsync();
        stripe.Faults.RateLimit(1);
        await Assert.ThrowsAsync<Stripe.V2.RateLimitException>(() => SendAsync(stripe, session, [Event("a", "1")]));
        stripe.Faults.FailBeforeCommit(1);
        await Refused.AsAsync(HttpStatusCode.InternalServerError, () => SendAsync(stripe, session, [Event("a", "1")], key: "k1"));
        Assert.Null(await stripe.TotalAsync(meter));

        // v2 keeps no failure: under the same key the work is done to its end, and then not again.
        stripe.Faults.FailAfterCommit(1);
        await Refused.AsAsync(HttpStatusCode.InternalServerError, () => SendAsync(stripe, session, [Event("a", "1")], key: "k1"));
        await SendAsync(stripe, session, [Event("a", "1")], key: "k1");
        Assert.True(stripe.Host.Requests[^1].IsReplayed);
        stripe.Faults.LoseReplies(1);
        await Assert.ThrowsAsync<HttpRequestException>(() => SendAsync(stripe, session, [Event("b", "1"), Event("c", "1")]));
        Assert.Equal(3, await stripe.TotalAsync(meter));

        stripe.Faults.RejectLater(1);
        await SendAsync(stripe, session, [Event("d", "1"), Event("e", "1")]);
        Assert.Equal(4, await stripe.TotalAsync(meter));
        Assert.Equal("meter_event_customer_not_found", stripe.Host.ReadEvents().Single(static one => one.Identifier == "d").Excluded);
    }

    [Fact]
    public async Task Stream_OfMoreThanAHundred_IsRefusedWhole()
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.CreateMeterAsync();
        var session = await stripe.OpenStreamAsync();
        await Refused.AsAsync(HttpStatusCode.BadRequest, () => SendAsync(stripe, session, [.. Enumerable.Range(0, 101).Select(number => Event($"{number}", "1"))]));
        await Refused.AsAsync(HttpStatusCode.BadRequest, () => SendAsync(stripe, session, [Event("a", "1"), new MeterEventStreamCreateEventOptions { EventName = "tokens" }]));
        Assert.Empty(stripe.Host.ReadEvents());
    }

    private static Task<EmptyStripeEntity> SendAsync(TestDouble stripe, MeterEventSession session, List<MeterEventStreamCreateEventOptions> events, string? key = null) =>
        stripe.Client.V2.Billing.MeterEventStream.CreateAsync(Batch(events), new RequestOptions { ApiKey = session.AuthenticationToken, IdempotencyKey = key });

    private static MeterEventStreamCreateOptions Batch(List<MeterEventStreamCreateEventOptions> events) => new() { Events = events };

    private static MeterEventStreamCreateEventOptions Event(
        string identifier, string value, string customer = "cus_1", string eventName = "tokens", DateTime? at = null,
        string customerKey = "stripe_customer_id", string valueKey = "value") => new()
        {
            EventName = eventName, Identifier = identifier, Timestamp = at, Payload = new() { [customerKey] = customer, [valueKey] = value },
        };
}
