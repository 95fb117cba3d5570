using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Reconciling;

namespace StripeMeter.Pusher.Reconciling;

/// <summary>Adds reports up, by metric and over all.</summary>
internal sealed class ReportSums
{
    private readonly SortedDictionary<string, Sum> _metrics = new(StringComparer.Ordinal);
    private readonly Sum _overall = new();

    public void Add(ReconciliationReport report)
    {
        var metric = report.Metrics.Count > 0 ? report.Metrics[0] : "";
        if (!_metrics.TryGetValue(metric, out var sum))
            _metrics.Add(metric, sum = new Sum());
        sum.Add(report);
        _overall.Add(report);
    }

    public V1.SummarizeReconciliationResponse ToWire()
    {
        var response = new V1.SummarizeReconciliationResponse { Overall = _overall.ToWire("") };
        response.Metrics.AddRange(_metrics.Select(entry => entry.Value.ToWire(entry.Key)));
        return response;
    }

    private sealed class Sum
    {
        private readonly HashSet<DeltaKey> _items = [];
        private Quantity _expected;
        private Quantity _atStripe;
        private Quantity _inFlight;
        private Quantity _drift;
        private Quantity _largest;
        private int _reports;
        private int _good;
        private int _resolved;

        public void Add(ReconciliationReport report)
        {
            _items.Add(report.Key);
            _expected += report.Expected;
            _atStripe += report.AtStripe;
            _inFlight += report.InFlight;
            _drift += Drift.Magnitude(report.Drift);
            _largest = Quantity.Max(_largest, Drift.Magnitude(report.Drift));
            _reports++;
            _good += report.Status == ReconciliationStatus.Ok ? 1 : 0;
            _resolved += report.Status == ReconciliationStatus.Resolved ? 1 : 0;
        }

        public V1.ReconciliationSum ToWire(string metric) => new()
        {
            Metric = metric,
            ExpectedTotal = _expected.ToString(),
            StripeTotal = _atStripe.ToString(),
            InFlight = _inFlight.ToString(),
            DriftAbs = _drift.ToString(),
            DriftFraction = WireReports.Text(Drift.FractionOf(_drift, _atStripe)),
            ItemCount = _items.Count,
            InvestigateCount = _reports - _good - _resolved,
            ReportCount = _reports,
            OkCount = _good,
            ResolvedCount = _resolved,
            MaxDrift = _largest.ToString(),
        };
    }
}
