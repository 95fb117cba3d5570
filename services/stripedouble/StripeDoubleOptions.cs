using System.Net;
using Microsoft.Extensions.Logging.Abstractions;

namespace StripeMeter.StripeDouble;

/// <summary>What the double answers for a stretch of time without usage; Stripe does not say what it does.</summary>
public enum EmptySummaries
{
    /// <summary>Nothing: the list has no summary of it.</summary>
    Omitted,

    /// <summary>A summary whose value is 0.</summary>
    Zero,
}

/// <summary>Describes a Stripe double. The defaults are Stripe's own limits where Stripe states them.</summary>
public sealed record StripeDoubleOptions
{
    /// <summary>The SQLite file that holds the account; created when missing.</summary>
    public required string DataFile { get; init; }

    /// <summary>Port to listen on; 0 picks a free one.</summary>
    public int Port { get; init; } = 12111;

    /// <summary>Address to listen on. Loopback, as anyone who reaches it may use it.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>How long an identifier of a meter event is refused when it comes again. Stripe: a rolling period of at least 24 hours.</summary>
    public TimeSpan IdentifierWindow { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How old the timestamp of a meter event may be.</summary>
    public TimeSpan OldestTimestamp { get; init; } = TimeSpan.FromDays(35);

    /// <summary>How far in the future the timestamp of a meter event may be.</summary>
    public TimeSpan NewestTimestamp { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long after its receipt a meter event can be cancelled.</summary>
    public TimeSpan CancelWindow { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How long the reply to an idempotency key is kept. Stripe: at least 24 hours.</summary>
    public TimeSpan IdempotencyWindow { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How long the token of a stream of meter events can be used.</summary>
    public TimeSpan StreamSession { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>
    /// Refuses summaries of customers that were never created and rejects their meter events asynchronously, as Stripe does.
    /// Default off: any customer id will do, so that usage can be tried without creating customers first.
    /// </summary>
    public bool RequireKnownCustomers { get; init; }

    /// <summary>What a stretch of time without usage looks like in the summaries.</summary>
    public EmptySummaries EmptySummaries { get; init; }

    /// <summary>From the draft of an invoice until it is final. Stripe: an hour, up to 72 can be configured.</summary>
    public TimeSpan FinalizeAfter { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// From the draft of an invoice until it is final although the account's <c>invoice.created</c> events fail to be taken.
    /// Stripe: up to 72 hours.
    /// </summary>
    public TimeSpan FinalizeAtLastAfter { get; init; } = TimeSpan.FromHours(72);

    /// <summary>Where events are delivered to; null: nowhere, unless the controls say so.</summary>
    public Uri? WebhookUrl { get; init; }

    /// <summary>Signs what is delivered. Needed with <see cref="WebhookUrl"/>.</summary>
    public string WebhookSecret { get; init; } = "";

    /// <summary>How long a delivery may take to be answered.</summary>
    public TimeSpan WebhookTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Deliveries of an event until it is given up.</summary>
    public int MaximumDeliveries { get; init; } = 20;

    /// <summary>Events delivered in one round.</summary>
    public int DeliveriesPerRound { get; init; } = 100;

    /// <summary>For how much time together rejected meter events are reported.</summary>
    public TimeSpan ReportWindow { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Samples of each reason in a report.</summary>
    public int ReportSamples { get; init; } = 5;

    /// <summary>Rejected meter events looked at in one round.</summary>
    public int RejectionsPerRound { get; init; } = 10_000;

    /// <summary>Periods ended and invoices made final in one round.</summary>
    public int BillingsPerRound { get; init; } = 1_000;

    /// <summary>From one look at what is due to the next.</summary>
    public TimeSpan SettleInterval { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Accounts that can be connected.</summary>
    public int MaximumConnectedAccounts { get; init; } = 100;

    /// <summary>Bytes a request may have; a hundred meter events have room.</summary>
    public int MaximumRequestBytes { get; init; } = 256 * 1024;

    /// <summary>Parameters a request may have.</summary>
    public int MaximumParameters { get; init; } = 2_000;

    /// <summary>Connections open at the same time.</summary>
    public int MaximumConnections { get; init; } = 4_096;

    /// <summary>Requests remembered for <c>GET /_double/requests</c>; the oldest are forgotten.</summary>
    public int RememberedRequests { get; init; } = 1_000;

    /// <summary>How long a stopping double waits for requests in flight.</summary>
    public TimeSpan GracefulShutdown { get; init; } = TimeSpan.FromSeconds(2);

    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    /// <exception cref="ArgumentException">A value makes no sense; the message names it.</exception>
    internal void Validate()
    {
        if (string.IsNullOrWhiteSpace(DataFile))
            throw new ArgumentException($"{nameof(DataFile)} is empty; it must name the file that holds the double's data.");
        if (Port is < 0 or > 65_535)
            throw new ArgumentException($"{nameof(Port)} is {Port}; it must be 0 to 65535.");
        foreach (var (name, value) in new (string, TimeSpan)[]
        {
            (nameof(IdentifierWindow), IdentifierWindow), (nameof(OldestTimestamp), OldestTimestamp),
            (nameof(NewestTimestamp), NewestTimestamp), (nameof(CancelWindow), CancelWindow),
            (nameof(IdempotencyWindow), IdempotencyWindow), (nameof(GracefulShutdown), GracefulShutdown),
            (nameof(FinalizeAfter), FinalizeAfter), (nameof(FinalizeAtLastAfter), FinalizeAtLastAfter),
            (nameof(ReportWindow), ReportWindow), (nameof(StreamSession), StreamSession),
        })
        {
            if (value < TimeSpan.Zero)
                throw new ArgumentException($"{name} is {value}; it must not be negative.");
        }

        foreach (var (name, value) in new (string, int)[]
        {
            (nameof(MaximumRequestBytes), MaximumRequestBytes), (nameof(MaximumParameters), MaximumParameters),
            (nameof(MaximumConnections), MaximumConnections), (nameof(RememberedRequests), RememberedRequests),
            (nameof(MaximumDeliveries), MaximumDeliveries), (nameof(DeliveriesPerRound), DeliveriesPerRound),
            (nameof(RejectionsPerRound), RejectionsPerRound), (nameof(BillingsPerRound), BillingsPerRound),
        })
        {
            if (value < 1)
                throw new ArgumentException($"{name} is {value}; it must be at least 1.");
        }

        if (SettleInterval <= TimeSpan.Zero || WebhookTimeout <= TimeSpan.Zero)
            throw new ArgumentException($"{nameof(SettleInterval)} and {nameof(WebhookTimeout)} must be positive.");
        if (WebhookUrl is not null && WebhookSecret.Length == 0)
            throw new ArgumentException($"{nameof(WebhookSecret)} is empty; receivers know deliveries by it.");
    }
}
