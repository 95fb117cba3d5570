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

    /// <summary>
    /// Refuses summaries of customers that were never created and rejects their meter events asynchronously, as Stripe does.
    /// Default off: any customer id will do, so that usage can be tried without creating customers first.
    /// </summary>
    public bool RequireKnownCustomers { get; init; }

    /// <summary>What a stretch of time without usage looks like in the summaries.</summary>
    public EmptySummaries EmptySummaries { get; init; }

    /// <summary>Bytes a request may have.</summary>
    public int MaximumRequestBytes { get; init; } = 64 * 1024;

    /// <summary>Parameters a request may have.</summary>
    public int MaximumParameters { get; init; } = 1_000;

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
        })
        {
            if (value < TimeSpan.Zero)
                throw new ArgumentException($"{name} is {value}; it must not be negative.");
        }

        foreach (var (name, value) in new (string, int)[]
        {
            (nameof(MaximumRequestBytes), MaximumRequestBytes), (nameof(MaximumParameters), MaximumParameters),
            (nameof(MaximumConnections), MaximumConnections), (nameof(RememberedRequests), RememberedRequests),
        })
        {
            if (value < 1)
                throw new ArgumentException($"{name} is {value}; it must be at least 1.");
        }
    }
}
