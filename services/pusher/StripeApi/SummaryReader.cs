using System.Globalization;
using Stripe.Billing;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Pusher.StripeApi;

/// <summary>
/// Reads what Stripe's meters hold. The summaries lag, by a time Stripe does not promise to bound.
/// See https://docs.stripe.com/api/billing/meter-event-summary/list.
/// </summary>
internal sealed partial class SummaryReader(StripeCalls calls, AccountGates gates, ILogger<SummaryReader> logger)
{
    private const int PageSummaries = 100;

    // Values come through a double at Stripe; what is behind the twelfth place is noise.
    private const string Plain = "0.############";

    /// <summary>The total from one minute to another; null if it cannot be read now.</summary>
    /// <param name="key">Customer and meter.</param>
    /// <param name="start">Inclusive, a whole minute.</param>
    /// <param name="end">Exclusive, a whole minute.</param>
    /// <param name="cancellation">Ends the call.</param>
    public async Task<Quantity?> TotalAsync(DeltaKey key, Instant start, Instant end, CancellationToken cancellation)
    {
        var parts = await ReadAsync(key, start, end, null, cancellation).ConfigureAwait(false);
        return parts?.Aggregate(Quantity.Zero, (total, part) => total + part.Value);
    }

    /// <summary>What there is by the hour, empty hours perhaps left out; null if it cannot be read now.</summary>
    public Task<IReadOnlyList<SummaryPart>?> HoursAsync(DeltaKey key, Instant start, Instant end, CancellationToken cancellation) =>
        ReadAsync(key, start, end, "hour", cancellation);

    private async Task<IReadOnlyList<SummaryPart>?> ReadAsync(
        DeltaKey key, Instant start, Instant end, string? window, CancellationToken cancellation)
    {
        var gate = gates.Of(key.Account);
        if (gate.Breaker.ClosedFor > TimeSpan.Zero)
            return null;
        await gate.Bucket.TakeAsync(cancellation).ConfigureAwait(false);
        var options = new MeterEventSummaryListOptions
        {
            Customer = key.StripeCustomer, StartTime = start.ToUtc(), EndTime = end.ToUtc(), ValueGroupingWindow = window, Limit = PageSummaries,
        };
        try
        {
            var parts = new List<SummaryPart>();
            var pages = calls.Client.V1.Billing.Meters.EventSummaries.ListAutoPagingAsync(
                key.MeterId, options, calls.RequestFor(key.Account), cancellation);
            await foreach (var summary in pages.ConfigureAwait(false))
                parts.Add(new SummaryPart(Instant.Of(summary.StartTime), ToQuantity(summary.AggregatedValue)));
            return parts;
        }
        catch (Exception problem) when (StripeCalls.IsFailure(problem, cancellation))
        {
            LogNotRead(logger, key.MeterId, key.StripeCustomer, StripeCalls.Explain(problem));
            return null;
        }
    }

    private static Quantity ToQuantity(decimal value) => Quantity.Parse(value.ToString(Plain, CultureInfo.InvariantCulture));

    [LoggerMessage(303, LogLevel.Warning, "The summaries of {MeterId} for {StripeCustomer} cannot be read now: {Problem}")]
    private static partial void LogNotRead(ILogger logger, string meterId, string stripeCustomer, string problem);
}

/// <summary>What a meter holds from an instant on.</summary>
internal readonly record struct SummaryPart(Instant Start, Quantity Value);
