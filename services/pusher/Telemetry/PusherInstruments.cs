using System.Diagnostics;
using System.Diagnostics.Metrics;
using StripeMeter.Defaults.Telemetry;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.Pusher.StripeApi;

namespace StripeMeter.Pusher.Telemetry;

/// <summary>What the pusher counts and shows.</summary>
internal sealed class PusherInstruments
{
    private readonly Counter<long> _pushes;
    private readonly Counter<long> _raised;
    private readonly Counter<long> _shadowPosts;
    private readonly Counter<long> _shadowFailures;
    private readonly Counter<long> _notFollowed;
    private readonly AlertingCounter _webhooks;
    private readonly TimeProvider _clock;
    private DeltaBacklog _backlog;

    public PusherInstruments(IMeterFactory meters, AccountGates gates, PusherOptions options, TimeProvider clock)
    {
        _clock = clock;
        var meter = meters.Create(ServiceTelemetry.Prefix + "Pusher");
        _pushes = meter.CreateCounter<long>("stripe_pushes", description: "Attempts to push to Stripe, by outcome.");
        _raised = meter.CreateCounter<long>("push_counters_raised", description: "Changed counters brought into the delta ledger.");
        _shadowPosts = meter.CreateCounter<long>("shadow_usage_posts", description: "Shadow usage that a test account took, by tenant and metric.");
        _shadowFailures = meter.CreateCounter<long>(
            "shadow_usage_post_failures", description: "Attempts to push shadow usage that a test account did not take, by tenant, metric and reason.");
        _notFollowed = meter.CreateCounter<long>(
            "stripe_subscriptions_not_followed", description: "Notices of subscriptions whose periods are not followed because they are not months, by interval.");
        _webhooks = new AlertingCounter(
            meter, "stripe_webhooks", "Requests to the webhook endpoint, by outcome: taken, already, ignored, or refused.", "outcome",
            ["taken", "already", "ignored", "refused"]);
        meter.CreateObservableGauge("push_backlog", () => _backlog.Documents, description: "Documents of which Stripe has not accepted everything.");
        meter.CreateObservableGauge("push_backlog_age", BacklogAgeSeconds, "s", "Since when the document is behind that has been longest.");
        // Each document needs one call at least; a split one, or one that is looked for, more.
        meter.CreateObservableGauge(
            "push_backlog_drain", () => (_backlog.Documents + options.RatePerSecond - 1) / options.RatePerSecond, "s",
            "In what time the backlog is pushed at least, at the rate of one account.");

        meter.CreateObservableGauge(
            "queue_lag", () => new Measurement<long>(BacklogAgeSeconds(), new KeyValuePair<string, object?>("queue", "writer")),
            "s", "How long the oldest work of a queue has waited.");
        meter.CreateObservableGauge("push_ambiguous", () => _backlog.Ambiguous, description: "Documents whose push may or may not have been taken.");
        meter.CreateObservableGauge("push_parked", () => _backlog.Parked, description: "Documents that wait for a human, because Stripe refused too often.");
        meter.CreateObservableGauge(
            "stripe_breaker_open",
            () => gates.All.Select(gate => new Measurement<int>(
                gate.Breaker.IsOpen ? 1 : 0, new KeyValuePair<string, object?>("account", gate.Account.Id),
                new KeyValuePair<string, object?>("livemode", gate.Account.Livemode))),
            description: "1 while an account is not called because it does not answer or let us in.");
    }

    public void Pushed(AttemptResult result) =>
        _pushes.Add(1, new KeyValuePair<string, object?>("outcome", Word(result)));

    public void ShadowPushed(TenantId tenant, string metric, AttemptResult result)
    {
        var tags = new TagList { { "tenant", tenant.Value }, { "metric", metric } };
        if (result is AttemptResult.Accepted or AttemptResult.Duplicate)
        {
            _shadowPosts.Add(1, tags);
            return;
        }

        tags.Add("reason", Word(result));
        _shadowFailures.Add(1, tags);
    }

    public void NotFollowed(string interval) => _notFollowed.Add(1, new KeyValuePair<string, object?>("interval", interval));

    public void WebhookReceived(string outcome) => _webhooks.Add(1, outcome);

    public void Raised(int counters) => _raised.Add(counters);

    public void Show(DeltaBacklog backlog) => _backlog = backlog;

    private long BacklogAgeSeconds() => _backlog.Oldest is { } oldest
        ? Math.Max(0, (Instant.Of(_clock.GetUtcNow()) - oldest).Ticks / TimeSpan.TicksPerSecond)
        : 0;

    private static string Word(AttemptResult result) => result switch
    {
        AttemptResult.Accepted => "accepted",
        AttemptResult.Duplicate => "duplicate",
        AttemptResult.Refused => "refused",
        AttemptResult.Unauthorized => "unauthorized",
        AttemptResult.NotExecuted => "not_executed",
        _ => "unknown",
    };
}
