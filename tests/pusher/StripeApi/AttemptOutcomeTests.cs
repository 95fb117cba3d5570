using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Stripe;
using Stripe.Billing;
using StripeMeter.Metering.Pushing;
using StripeMeter.Pusher.StripeApi;

namespace StripeMeter.Pusher.Tests.StripeApi;

/// <summary>What the real client makes of answers, and what they are taken for.</summary>
public sealed class AttemptOutcomeTests
{
    private const string Identifier = "sm_1";

    [Theory]
    [InlineData(400, """{"error":{"type":"invalid_request_error","message":"An event already exists with identifier sm_1."}}""", AttemptResult.Duplicate)]
    [InlineData(400, """{"error":{"type":"invalid_request_error","message":"An event already exists with identifier sm_2."}}""", AttemptResult.Refused)]
    [InlineData(400, """{"error":{"type":"invalid_request_error","code":"duplicate_meter_event","message":"known"}}""", AttemptResult.Duplicate)]
    [InlineData(400, """{"error":{"type":"invalid_request_error","message":"No active meter found for event name x."}}""", AttemptResult.Refused)]
    [InlineData(400, """{"error":{"type":"idempotency_error","message":"Other parameters."}}""", AttemptResult.Refused)]
    [InlineData(404, """{"error":{"type":"invalid_request_error","message":"No such thing."}}""", AttemptResult.Refused)]
    [InlineData(401, """{"error":{"type":"invalid_request_error","message":"Invalid API key."}}""", AttemptResult.Unauthorized)]
    [InlineData(403, """{"error":{"type":"invalid_request_error","message":"Permission missing."}}""", AttemptResult.Unauthorized)]
    [InlineData(409, """{"error":{"type":"idempotency_error","code":"idempotency_key_in_use","message":"In use."}}""", AttemptResult.NotExecuted)]
    [InlineData(429, """{"error":{"type":"invalid_request_error","code":"lock_timeout","message":"Locked."}}""", AttemptResult.NotExecuted)]
    [InlineData(408, """{"error":{"type":"api_error","message":"Too slow."}}""", AttemptResult.Unknown)]
    [InlineData(500, """{"error":{"type":"api_error","message":"Sorry."}}""", AttemptResult.UnknownStored)]
    [InlineData(502, "<html>Bad gateway</html>", AttemptResult.Unknown)]
    [InlineData(403, "<html>A proxy says no</html>", AttemptResult.Unknown)]
    [InlineData(200, "not json", AttemptResult.Unknown)]
    [InlineData(200, "", AttemptResult.Unknown)]
    [InlineData(201, """{"object":"billing.meter_event","identifier":"sm_1"}""", AttemptResult.Unknown)]
    public async Task Of_AnAnswer_IsWhatItSaysOfTheEvent(int status, string body, AttemptResult expected)
    {
        var failure = await SendAsync(_ => new HttpResponseMessage((HttpStatusCode)status) { Content = new StringContent(body, Encoding.UTF8, "application/json") });

        Assert.Equal(expected, AttemptOutcomes.Of(failure, Identifier).Outcome.Result);
    }

    /// <summary>The errors with which Stripe's contract answers a meter event.</summary>
    public static TheoryData<string> Errors { get; } = [.. ContractErrors().Select(static error => (string)error["case"]!)];

    [Theory, MemberData(nameof(Errors))]
    public async Task Of_AnErrorOfTheContract_IsWhatItSaysOfTheEvent(string name)
    {
        var error = ContractErrors().Single(error => (string?)error["case"] == name);
        var reason = (string?)error["limitedReason"];
        var failure = await SendAsync(_ => AnswerOf(error, reason));

        var outcome = AttemptOutcomes.Of(failure, "sent");

        AttemptResult expected = (int)error["status"]! switch
        {
            401 or 403 => AttemptResult.Unauthorized,
            409 or 429 => AttemptResult.NotExecuted,
            500 => AttemptResult.UnknownStored,
            _ => name.EndsWith("a known identifier", StringComparison.Ordinal) ? AttemptResult.Duplicate : AttemptResult.Refused,
        };
        Assert.Equal((expected, reason is not (null or "resource-specific"), true), (outcome.Outcome.Result, outcome.IsAccountLimited, outcome.IsReached));
    }

    [Theory, InlineData("endpoint-rate", true), InlineData("global-concurrency", true), InlineData("resource-specific", false), InlineData(null, false)]
    public async Task Of_ALimit_SaysWhoseItIsAndWhenToComeBack(string? reason, bool isAccounts)
    {
        var failure = await SendAsync(_ =>
        {
            var response = new HttpResponseMessage(HttpStatusCode.TooManyRequests)
            {
                Content = new StringContent("""{"error":{"type":"invalid_request_error","message":"Slow down."}}"""),
            };
            response.Headers.Add("Retry-After", "7");
            if (reason is not null)
                response.Headers.Add("Stripe-Rate-Limited-Reason", reason);
            return response;
        });

        var outcome = AttemptOutcomes.Of(failure, Identifier);

        Assert.Equal((isAccounts, TimeSpan.FromSeconds(7)), (outcome.IsAccountLimited, outcome.Outcome.RetryAfter));
    }

    [Theory]
    [InlineData(400, "true", AttemptResult.NotExecuted, 0)]
    [InlineData(400, "false", AttemptResult.Refused, 0)]
    [InlineData(409, "false", AttemptResult.NotExecuted, 60)]
    [InlineData(409, "true", AttemptResult.NotExecuted, 0)]
    [InlineData(500, "false", AttemptResult.UnknownStored, 0)]
    public async Task Of_WhatStripeSaysOfRetrying_IsHeard(int status, string shouldRetry, AttemptResult expected, int waitSeconds)
    {
        var failure = await SendAsync(_ =>
        {
            var response = new HttpResponseMessage((HttpStatusCode)status)
            {
                Content = new StringContent("""{"error":{"type":"invalid_request_error","message":"No."}}"""),
            };
            response.Headers.Add("Stripe-Should-Retry", shouldRetry);
            return response;
        });

        var outcome = AttemptOutcomes.Of(failure, Identifier).Outcome;

        Assert.Equal((expected, waitSeconds), (outcome.Result, (int)(outcome.RetryAfter ?? TimeSpan.Zero).TotalSeconds));
    }

    [Fact]
    public async Task Of_NoConnection_IsNotExecuted()
    {
        var refused = await SendAsync(_ => throw new HttpRequestException(
            HttpRequestError.ConnectionError, "refused", new SocketException((int)SocketError.ConnectionRefused)));

        Assert.Equal(
            (AttemptResult.NotExecuted, false),
            (AttemptOutcomes.Of(refused, Identifier).Outcome.Result, AttemptOutcomes.Of(refused, Identifier).IsReached));
    }

    [Fact]
    public async Task Of_AConnectionThatBreaksOrATimeout_IsNotKnown()
    {
        var broken = await SendAsync(_ => throw new HttpRequestException(HttpRequestError.ResponseEnded, "ended"));
        var late = await SendAsync(_ => throw new TaskCanceledException("timed out", new TimeoutException()));

        Assert.Equal(AttemptResult.Unknown, AttemptOutcomes.Of(broken, Identifier).Outcome.Result);
        Assert.Equal(AttemptResult.Unknown, AttemptOutcomes.Of(late, Identifier).Outcome.Result);
    }

    private static IEnumerable<JsonObject> ContractErrors() =>
        JsonNode.Parse(System.IO.File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Contract", "contract.json")))!["errors"]!.AsArray()
            .Select(static error => error!.AsObject()).Where(static error => ((string)error["call"]!).EndsWith("/meter_events", StringComparison.Ordinal));

    private static HttpResponseMessage AnswerOf(JsonObject error, string? reason)
    {
        var said = new JsonObject { ["message"] = (string?)error["says"] ?? "No." };
        foreach (var member in new[] { "type", "code", "param" })
        {
            if (error[member] is { } value)
                said[member] = value.DeepClone();
        }

        var response = new HttpResponseMessage((HttpStatusCode)(int)error["status"]!) { Content = new StringContent(new JsonObject { ["error"] = said }.ToJsonString()) };
        if ((string?)error["shouldRetry"] is { } retry)
            response.Headers.Add("Stripe-Should-Retry", retry);
        if (reason is not null)
            response.Headers.Add("Stripe-Rate-Limited-Reason", reason);
        return response;
    }

    private static async Task<Exception> SendAsync(Func<HttpRequestMessage, HttpResponseMessage> answer)
    {
        using var http = new HttpClient(new Answering(answer));
        var client = new StripeClient(new StripeClientOptions
        {
            ApiKey = "sk_test_1", ApiBase = "http://stripe.invalid", HttpClient = new SystemNetHttpClient(http, maxNetworkRetries: 0),
        });
        var options = new MeterEventCreateOptions { EventName = "x", Identifier = Identifier, Payload = new() { ["value"] = "1" } };
        var failure = await Record.ExceptionAsync(() => client.V1.Billing.MeterEvents.CreateAsync(options));
        Assert.NotNull(failure);
        return failure;
    }

    private sealed class Answering(Func<HttpRequestMessage, HttpResponseMessage> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(answer(request));
    }
}
