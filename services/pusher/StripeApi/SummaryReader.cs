using System.Globalization;
using Stripe.Billing;
using StripeMeter.Defaults.Telemetry;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Reconciling;
using StripeMeter.Metering.Time;

namespace StripeMeter.Pusher.StripeApi;

/// <summary>
/// Reads what Stripe's meters hold. The summaries lag, by a time Stripe does not promise to bound.
/// See https://docs.stripe.com/api/billing/meter-event-summary/list.
/// </summary>
internal sealed partial class SummaryReader(StripeAccounts accounts, AccountGates gates, ILogger<SummaryReader> logger) : IMeterSummaries
{
    private const int PageSummaries = 100;

    // Values come through a double at Stripe; what is behind the twelfth place is noise.
    private const string Plain = "0.############";

    public async Task<Quantity?> TotalAsync(DeltaKey key, Instant start, Instant end, CancellationToken cancellation)
    {
        var parts = await ReadAsync(key, start, end, null, cancellation).ConfigureAwait(false);
        return parts?.Aggregate(Quantity.Zero, (total, part) => total + part.Value);
    }

    public Task<IReadOnlyList<HourTotal>?> HoursAsync(DeltaKey key, Instant start, Instant end, CancellationToken cancellation) =>
        ReadAsync(key, start, end, "hour", cancellation);

    private async Task<IReadOnlyList<HourTotal>?> ReadAsync(
        DeltaKey key, Instant start, Instant end, string? window, CancellationToken cancellation)
    {
        var gate = gates.Of(key);
        if (gate.Breaker.ClosedFor > TimeSpan.Zero || await accounts.OfAsync(key, cancellation).ConfigureAwait(false) is not { } calls)
            return null;
        await gate.Bucket.TakeAsync(cancellation).ConfigureAwait(false);
        if (LegacyUsageRecords.AreFor(key))
            return await ReadLegacyAsync(calls, key, start, cancellation).ConfigureAwait(false);
        var options = new MeterEventSummaryListOptions
        {
            Customer = key.StripeCustomer, StartTime = start.ToUtc(), EndTime = end.ToUtc(), ValueGroupingWindow = window, Limit = PageSummaries,
        };
        try
        {
            var parts = new List<HourTotal>();
            var pages = calls.Client.V1.Billing.Meters.EventSummaries.ListAutoPagingAsync(
                key.MeterId, options, calls.RequestFor(key.Account), cancellation);
            await foreach (var summary in pages.ConfigureAwait(false))
                parts.Add(new HourTotal(Instant.Of(summary.StartTime), ToQuantity(summary.AggregatedValue)));
            return parts;
        }
        catch (Exception problem) when (StripeCalls.IsFailure(problem, cancellation))
        {
            LogNotRead(logger, key.MeterId, PersonalData.Pseudonym(key.StripeCustomer), StripeCalls.Explain(problem));
            return null;
        }
    }

    private async Task<IReadOnlyList<HourTotal>?> ReadLegacyAsync(StripeCalls calls, DeltaKey key, Instant start, CancellationToken cancellation)
    {
        try
        {
            var total = await LegacyUsageRecords.TotalAsync(calls, key, start, cancellation).ConfigureAwait(false);
            return [new HourTotal(start, total)];
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
