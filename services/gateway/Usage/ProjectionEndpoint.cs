using System.Globalization;
using StripeMeter.Defaults.Wire;
using StripeMeter.Gateway.Errors;
using StripeMeter.Gateway.Requests;
using StripeMeter.Metering.Time;
using StripeMeter.V1;

namespace StripeMeter.Gateway.Usage;

/// <summary>A question for the cost of a customer's usage.</summary>
/// <param name="TenantId">The tenant.</param>
/// <param name="CustomerRef">The customer.</param>
/// <param name="PeriodStart">First day of a billing period, with <c>periodEnd</c>; without both, the period under way.</param>
/// <param name="PeriodEnd">Last day of that billing period.</param>
/// <param name="Forecast">Whether to say what it comes to by the end of the period.</param>
public sealed record ProjectionRequest(string TenantId, string CustomerRef, string? PeriodStart, string? PeriodEnd, bool? Forecast);

/// <summary>What usage costs so far, by the mapped Stripe prices.</summary>
/// <param name="CustomerRef">The customer.</param>
/// <param name="PeriodStart">First day of the billing period.</param>
/// <param name="PeriodEnd">Its last day.</param>
/// <param name="LineItems">One line per metric with an active mapping.</param>
/// <param name="Subtotal">Sum of the lines that have a price.</param>
/// <param name="Credits">What the customer's billing credits at Stripe take off.</param>
/// <param name="Total">What is to be paid.</param>
/// <param name="Currency">ISO 4217, upper case.</param>
/// <param name="Freshness">How new the figures are.</param>
/// <param name="CreditsNote">Why there may be credits that are not counted.</param>
/// <param name="Forecast">What it comes to by the end of the period. Absent unless it was asked for and the period is under way.</param>
public sealed record Projection(
    string CustomerRef, string PeriodStart, string PeriodEnd, IReadOnlyList<ProjectionItem> LineItems, ExactNumber Subtotal,
    ExactNumber Credits, ExactNumber Total, string Currency, Freshness Freshness, string? CreditsNote, Forecast? Forecast);

/// <summary>What usage comes to by the end of the period, by a simple method.</summary>
/// <param name="Method">The method.</param>
/// <param name="Total">What is to be paid then, credits taken off.</param>
/// <param name="Low">The least of the range.</param>
/// <param name="High">The greatest of the range.</param>
/// <param name="LineItems">One line per line that has a price.</param>
public sealed record Forecast(string Method, ExactNumber Total, ExactNumber Low, ExactNumber High, IReadOnlyList<ForecastItem> LineItems);

/// <summary>A line of a forecast.</summary>
/// <param name="Metric">The metric.</param>
/// <param name="Days">How many full days it rests on, at most 7. 0: there was nothing to go by, and all is what is counted so far.</param>
/// <param name="Quantity">The usage of the whole period.</param>
/// <param name="Total">What it costs.</param>
public sealed record ForecastItem(string Metric, int Days, ForecastRange Quantity, ForecastRange Total);

/// <summary>A figure and its range.</summary>
/// <param name="Expected">If the days to come are like the average of those before.</param>
/// <param name="Low">The least.</param>
/// <param name="High">The greatest.</param>
public sealed record ForecastRange(ExactNumber Expected, ExactNumber Low, ExactNumber High);

/// <summary>A line of a projection.</summary>
/// <param name="Metric">The metric.</param>
/// <param name="PriceId">The Stripe price.</param>
/// <param name="Quantity">The usage that is billed.</param>
/// <param name="UnitPrice">In units of the currency, unrounded. Null when no price is known, or when units cost differently.</param>
/// <param name="Total">In units of the currency, rounded as Stripe rounds an invoice line. Null when no price is known.</param>
/// <param name="UnpricedReason">Why no price is known.</param>
/// <param name="Note">What is not certain of the total.</param>
/// <param name="Parts">Tiers, packages, flat amounts: they add up to the total.</param>
public sealed record ProjectionItem(
    string Metric, string PriceId, ExactNumber Quantity, ExactNumber? UnitPrice, ExactNumber? Total, string? UnpricedReason,
    string? Note, IReadOnlyList<ProjectionPart> Parts);

/// <summary>A part of a line. On Stripe's invoices each is a line of its own, and rounded alone.</summary>
/// <param name="Kind">units, packages, flat, included, minimum, maximum or rounding.</param>
/// <param name="Tier">From 1; null where there are no tiers.</param>
/// <param name="Quantity">How many.</param>
/// <param name="UnitPrice">In units of the currency, unrounded.</param>
/// <param name="Total">In units of the currency, rounded.</param>
/// <param name="Explanation">How the total comes about.</param>
public sealed record ProjectionPart(
    string Kind, int? Tier, ExactNumber Quantity, ExactNumber UnitPrice, ExactNumber Total, string Explanation);

/// <summary>How new the figures are.</summary>
/// <param name="LastUpdate">Timestamp of the newest event counted. Null when nothing was.</param>
/// <param name="Staleness">Seconds since then. Null when nothing was counted.</param>
/// <param name="CountedAt">When the figures were last counted.</param>
public sealed record Freshness(string? LastUpdate, long? Staleness, string? CountedAt);

/// <summary><c>POST /v1/usage/projection</c>.</summary>
internal static class ProjectionEndpoint
{
    private const string StartName = "periodStart";
    private const string EndName = "periodEnd";
    private const string ForecastName = "forecast";
    private static readonly HashSet<string> Known = ["tenantId", "customerRef", StartName, EndName, ForecastName];

    public static async Task<Projection> HandleAsync(
        HttpContext context, PricingService.PricingServiceClient pricing, GatewayOptions options, TimeProvider clock)
    {
        using var body = await JsonBody.ReadAsync(context, options.BodyBytes, Known).ConfigureAwait(false);
        var request = new GetProjectionRequest
        {
            TenantId = body.Tenant(),
            CustomerRef = body.Text("customerRef", required: true) ?? "",
            IncludeForecast = body.Flag(ForecastName) ?? false,
        };
        var (start, end) = (ReadDay(body, StartName), ReadDay(body, EndName));
        body.Check();
        if (start is null != end is null)
            throw new ProblemException(Problem.Invalid(start is null ? StartName : EndName, "must be given together with the other"));

        request.AtTime = start?.ToTimestamp();
        var projection = await pricing.GetProjectionAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        var period = UsageEndpoints.ToPeriod(projection.PeriodStart, projection.PeriodEnd);
        if (start is not null)
            RefuseOtherPeriod(period, UsageEndpoints.DayOf(start.Value), UsageEndpoints.DayOf(end!.Value));
        return ToAnswer(projection, period, Instant.Of(clock.GetUtcNow()));
    }

    private static Instant? ReadDay(JsonBody body, string name)
    {
        if (body.Text(name) is not { } text)
            return null;
        if (DateTime.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
            return Instant.OfDate(day.Year, day.Month, day.Day);
        body.Add(name, "must be a date, such as 2026-01-31");
        return null;
    }

    /// <summary>Prices hold for whole billing periods: part of one, or several, has no price of its own.</summary>
    private static void RefuseOtherPeriod(UsagePeriod period, string start, string end)
    {
        if (period.Start != start)
            throw new ProblemException(Problem.Invalid(StartName, $"must be the first day of a billing period, such as {period.Start}"));
        if (period.End != end)
            throw new ProblemException(Problem.Invalid(EndName, $"must be the last day of the billing period, {period.End}"));
    }

    private static Projection ToAnswer(GetProjectionResponse projection, UsagePeriod period, Instant now) => new(
        projection.CustomerRef,
        period.Start,
        period.End,
        [.. projection.Lines.Select(line => new ProjectionItem(
            line.Metric, line.PriceId, new ExactNumber(line.Quantity), ExactNumber.OfText(line.UnitPrice),
            ExactNumber.OfText(line.Total), line.UnpricedReason.OrNull(), line.Note.OrNull(),
            [.. line.Parts.Select(ToPart)]))],
        new ExactNumber(projection.Subtotal),
        new ExactNumber(projection.Credits),
        new ExactNumber(projection.Total),
        projection.Currency.ToUpperInvariant(),
        ToFreshness(projection, now),
        projection.CreditsNote.OrNull(),
        projection.Forecast is { } forecast ? ToForecast(forecast) : null);

    private static Forecast ToForecast(ProjectionForecast forecast) => new(
        forecast.Method, new ExactNumber(forecast.Total), new ExactNumber(forecast.LowTotal), new ExactNumber(forecast.HighTotal),
        [.. forecast.Lines.Select(line => new ForecastItem(
            line.Metric, line.Days,
            new ForecastRange(new ExactNumber(line.Quantity), new ExactNumber(line.LowQuantity), new ExactNumber(line.HighQuantity)),
            new ForecastRange(new ExactNumber(line.Total), new ExactNumber(line.LowTotal), new ExactNumber(line.HighTotal))))]);

    private static ProjectionPart ToPart(LinePart part) => new(
        part.Kind, part.Tier == 0 ? null : part.Tier, new ExactNumber(part.Quantity), new ExactNumber(part.UnitPrice),
        new ExactNumber(part.Total), part.Explanation);

    private static Freshness ToFreshness(GetProjectionResponse projection, Instant now)
    {
        if (projection.NewestEventTime is null || projection.NewestEventTime.TryToInstant(out var newest) is not null)
            return new Freshness(null, null, null);
        var staleness = now > newest ? (now - newest).Ticks / TimeSpan.TicksPerSecond : 0;
        return new Freshness(newest.ToString(), staleness, RestTime.Write(projection.UpdatedTime));
    }
}
