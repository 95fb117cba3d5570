using System.Diagnostics.Metrics;
using System.Globalization;
using StripeMeter.Defaults.Telemetry;
using StripeMeter.Metering.Reconciling;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Pusher.Reconciling;

/// <summary>
/// What reconciling counts and shows. Only periods that drift have gauges, and only the worst of them, so their number does
/// not grow with customers or months; one that stands well again has none.
/// </summary>
internal sealed class ReconciliationInstruments
{
    private readonly Counter<long> _runs;
    private readonly AlertingCounter _findings;
    private readonly Histogram<double> _duration;
    private readonly ReconciliationOptions _options;
    private readonly Lock _lock = new();
    private readonly Dictionary<(TenantId Tenant, string ReportId), ReconciliationReport> _drifting = [];

    public ReconciliationInstruments(IMeterFactory meters, ReconciliationOptions options)
    {
        _options = options;
        var meter = meters.Create(ServiceTelemetry.Prefix + "Reconciling");
        _runs = meter.CreateCounter<long>("recon_runs", description: "Comparisons of a tenant with Stripe, by outcome.");
        _findings = new AlertingCounter(
            meter, "reconciliation_findings", "Periods that comparisons found to differ from Stripe, by reason; each counts in every comparison that finds it so.",
            "reason", Enum.GetValues<DriftReason>().Where(reason => reason != DriftReason.None).Select(Word));
        _duration = meter.CreateHistogram("recon_duration", "s", "How long a comparison took.", advice: new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.5, 1, 2.5, 5, 10, 30, 60, 120, 300],
        });
        meter.CreateObservableGauge("reconciliation_drifting", CountDrifting, description: "Periods of Stripe customers that are to be investigated, as far as they are shown.");
        // What is shown here may be rounded; what is billed is not.
        meter.CreateObservableGauge(
            "reconciliation_diff_abs", () => Measure(report => decimal.Parse(Drift.Magnitude(report.Drift).ToString(), CultureInfo.InvariantCulture)),
            description: "By how much Stripe differs from what it should have, where it does.");
        meter.CreateObservableGauge(
            "reconciliation_diff_pct", () => Measure(report => report.DriftFraction),
            description: "The same as a part of what Stripe has.");
    }

    public void Ran(RunState state, TimeSpan duration)
    {
        _runs.Add(1, new KeyValuePair<string, object?>("result", state == RunState.Completed ? "completed" : "failed"));
        _duration.Record(duration.TotalSeconds);
    }

    public void Show(TenantId tenant, ReconciliationReport report)
    {
        if (report.Reason != DriftReason.None)
            _findings.Add(1, Word(report.Reason));
        lock (_lock)
        {
            if (report.Status == ReconciliationStatus.Investigate)
                _drifting[(tenant, report.Id)] = report;
            else
                _drifting.Remove((tenant, report.Id));
            if (_drifting.Count > _options.ShownDrifts)
                _drifting.Remove(_drifting.MinBy(entry => entry.Value.DriftFraction).Key);
        }
    }

    private static string Word(DriftReason reason) => reason switch
    {
        DriftReason.SummariesLag => "summaries_lag",
        DriftReason.LookedFor => "looked_for",
        DriftReason.ForeignWriter => "foreign_writer",
        DriftReason.Unbilled => "unbilled",
        DriftReason.ToldAgain => "told_again",
        _ => "unexplained",
    };

    private int CountDrifting()
    {
        lock (_lock)
            return _drifting.Count;
    }

    private List<Measurement<double>> Measure(Func<ReconciliationReport, decimal> value)
    {
        lock (_lock)
        {
            return [.. _drifting.Select(entry => new Measurement<double>(
                (double)value(entry.Value),
                new KeyValuePair<string, object?>("tenant", entry.Key.Tenant.Value),
                new KeyValuePair<string, object?>("subscription_item", $"{entry.Value.Key.MeterId}/{entry.Value.Key.StripeCustomer}"),
                new KeyValuePair<string, object?>("period", entry.Value.Period.Start.ToUtc().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture))))];
        }
    }
}
