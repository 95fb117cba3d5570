using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pricing;
using StripeMeter.Metering.Pricing.Forecasting;
using StripeMeter.Metering.Pricing.Invoicing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;
using StripeMeter.V1;

namespace StripeMeter.Pricing.Projecting;

/// <summary>Says what a projection comes to by the end of its period. Reads the last days of each priced metric from the ledger.</summary>
public sealed class UsageForecasts(UsageService.UsageServiceClient usages, PricingOptions options)
{
    internal async Task<ProjectionForecast> ReadAsync(
        string tenant, Projection projection, IReadOnlyList<Credit> credits, Instant now, CancellationToken cancellation)
    {
        var today = now.ToUtc().Date;
        var window = new BillingPeriod(
            Instant.OfDate(today.Year, today.Month, today.Day) - TimeSpan.FromDays(UsageForecast.Days), Instant.OfDate(today.Year, today.Month, today.Day));
        var ranges = new List<ForecastRange>();
        foreach (var some in projection.Priced.Chunk(options.ConcurrentReads))
        {
            ranges.AddRange(await Task.WhenAll(some.Select(line =>
                OfLineAsync(tenant, projection, line, window, now, cancellation))).ConfigureAwait(false));
        }

        return ToWire(projection, ranges, credits);
    }

    private async Task<ForecastRange> OfLineAsync(
        string tenant, Projection projection, PricedLine line, BillingPeriod window, Instant now, CancellationToken cancellation)
    {
        var request = new GetUsageHistoryRequest
        {
            TenantId = tenant, CustomerRef = projection.Customer, Metric = line.Item.Metric, Step = HistoryStep.Day,
            StartTime = window.Start.ToTimestamp(), EndTime = window.End.ToTimestamp(),
        };
        var history = await usages.GetUsageHistoryAsync(request, cancellationToken: cancellation).ConfigureAwait(false);
        var aggregation = (Metering.Mappings.Aggregation)line.Mapping.Aggregation;
        return UsageForecast.Of(line.Item.Quantity, aggregation, DaysOf(history, line.Mapping.Aggregation, window), projection.Period.End - now);
    }

    /// <summary>From the first day with usage on; where days add up, those without any are days of zero.</summary>
    private static List<Quantity> DaysOf(GetUsageHistoryResponse history, Aggregation aggregation, BillingPeriod window)
    {
        var days = history.Buckets.Select(bucket => ProjectionLines.QuantityOf(bucket, aggregation)).ToList();
        if (days.Count == 0 || aggregation is not (Aggregation.Sum or Aggregation.Count))
            return days;
        history.Buckets[0].StartTime.TryToInstant(out var first);
        var since = (int)((window.End - first).Ticks / TimeSpan.TicksPerDay);
        days.AddRange(Enumerable.Repeat(Quantity.Zero, since - days.Count));
        return days;
    }

    private static ProjectionForecast ToWire(Projection projection, List<ForecastRange> ranges, IReadOnlyList<Credit> credits)
    {
        Invoice?[] invoices =
        [
            projection.Bill(ranges.Select(range => range.Low), credits), projection.Bill(ranges.Select(range => range.Expected), credits),
            projection.Bill(ranges.Select(range => range.High), credits),
        ];
        var totals = TextsOf(invoices.Select(invoice => invoice?.Total ?? 0), projection.Currency);
        var forecast = new ProjectionForecast { Method = UsageForecast.Method, LowTotal = totals.Low, Total = totals.Expected, HighTotal = totals.High };
        foreach (var (index, line) in projection.Priced.Index())
        {
            var amounts = TextsOf(invoices.Select(invoice => invoice!.Lines[index].Amount), projection.Currency);
            forecast.Lines.Add(new ForecastLine
            {
                Metric = line.Item.Metric, Days = ranges[index].Days, LowQuantity = ranges[index].Low.ToString(),
                Quantity = ranges[index].Expected.ToString(), HighQuantity = ranges[index].High.ToString(),
                LowTotal = amounts.Low, Total = amounts.Expected, HighTotal = amounts.High,
            });
        }

        return forecast;
    }

    /// <summary>Where a price falls with the quantity, the quietest days cost most: the range is that of the amounts.</summary>
    private static (string Low, string Expected, string High) TextsOf(IEnumerable<long> amounts, Currency currency)
    {
        var all = amounts.ToArray();
        return (AmountText.Of(all.Min(), currency), AmountText.Of(all[1], currency), AmountText.Of(all.Max(), currency));
    }
}
