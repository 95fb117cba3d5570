using System.Text.Json;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Reconciling;

/// <summary>Reports as their documents. Quantities are text, instants ticks.</summary>
internal static class ReportJson
{
    public static string Write(ReconciliationReport report) => JsonSerializer.Serialize(new Stored(
        report.Key.Account, report.Key.Livemode, report.Key.MeterId, report.Key.StripeCustomer, report.Period.Start.Ticks, report.Period.End.Ticks,
        report.IsShadow, report.Metrics, report.Customers, report.Ledger.ToString(), report.CarriedIn.ToString(), report.CarriedOut.ToString(), report.Accepted.ToString(),
        report.AtStripe.ToString(), report.Drift.ToString(), report.TakenBack.ToString(), report.Unbilled.ToString(), report.Status, report.Reason,
        [.. report.Foreign.Select(usage => new StoredForeign(usage.Minute.Ticks, usage.Value.ToString()))],
        report.Suggestion is { } suggestion ? new StoredSuggestion(suggestion.Id, suggestion.Metric, suggestion.Customer, suggestion.Delta.ToString()) : null,
        [.. report.Applied.Select(applied => new StoredApplied(applied.SuggestionId, applied.AdjustmentId, applied.Delta.ToString()))],
        report.Checked.Ticks, report.LaggingSince?.Ticks, report.Minted, report.Changes));

    public static ReconciliationReport Read(string body)
    {
        var stored = JsonSerializer.Deserialize<Stored>(body) ?? throw new FormatException("A stored report is empty.");
        return new ReconciliationReport
        {
            Key = new DeltaKey(stored.Account, stored.Livemode, stored.Meter, stored.StripeCustomer),
            Period = new BillingPeriod(new Instant(stored.Start), new Instant(stored.End)),
            IsShadow = stored.IsShadow,
            Metrics = stored.Metrics,
            Customers = stored.Customers,
            Ledger = Quantity.Parse(stored.Ledger),
            CarriedIn = Quantity.Parse(stored.CarriedIn),
            CarriedOut = Quantity.Parse(stored.CarriedOut),
            Accepted = Quantity.Parse(stored.Accepted),
            AtStripe = Quantity.Parse(stored.AtStripe),
            Drift = Quantity.Parse(stored.Drift),
            TakenBack = Quantity.Parse(stored.TakenBack),
            Unbilled = Quantity.Parse(stored.Unbilled),
            Status = stored.Status,
            Reason = stored.Reason,
            Foreign = [.. stored.Foreign.Select(usage => new ForeignUsage(new Instant(usage.Minute), Quantity.Parse(usage.Value)))],
            Suggestion = stored.Suggestion is { } suggestion
                ? new AdjustmentSuggestion(suggestion.Id, suggestion.Metric, suggestion.Customer, Quantity.Parse(suggestion.Delta))
                : null,
            Applied = [.. stored.Applied.Select(applied => new AppliedSuggestion(applied.Suggestion, applied.Adjustment, Quantity.Parse(applied.Delta)))],
            Checked = new Instant(stored.Checked),
            LaggingSince = stored.LaggingSince is { } since ? new Instant(since) : null,
            Minted = stored.Minted,
            Changes = stored.Changes,
        };
    }

    private sealed record Stored(
        string Account, bool Livemode, string Meter, string StripeCustomer, long Start, long End, bool IsShadow, IReadOnlyList<string> Metrics, IReadOnlyList<string> Customers, string Ledger,
        string CarriedIn, string CarriedOut, string Accepted, string AtStripe, string Drift, string TakenBack, string Unbilled, ReconciliationStatus Status,
        DriftReason Reason, IReadOnlyList<StoredForeign> Foreign, StoredSuggestion? Suggestion, IReadOnlyList<StoredApplied> Applied,
        long Checked, long? LaggingSince, long Minted, int Changes);

    private sealed record StoredForeign(long Minute, string Value);

    private sealed record StoredSuggestion(string Id, string Metric, string Customer, string Delta);

    private sealed record StoredApplied(string Suggestion, string Adjustment, string Delta);
}
