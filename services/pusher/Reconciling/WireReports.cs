using System.Globalization;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Tenants;
using DomainReport = StripeMeter.Metering.Reconciling.ReconciliationReport;
using DomainRun = StripeMeter.Metering.Reconciling.ReconciliationRun;

namespace StripeMeter.Pusher.Reconciling;

/// <summary>Reports and runs as the API shows them. States and reasons have the same numbers there and on disk.</summary>
internal static class WireReports
{
    public static V1.ReconciliationReport ToWire(this DomainReport report, TenantId tenant)
    {
        var wire = new V1.ReconciliationReport
        {
            Id = report.Id,
            TenantId = tenant.Value,
            StripeAccount = report.Key.Account,
            Livemode = report.Key.Livemode,
            MeterId = report.Key.MeterId,
            StripeCustomer = report.Key.StripeCustomer,
            PeriodStart = report.Period.Start.ToTimestamp(),
            PeriodEnd = report.Period.End.ToTimestamp(),
            Shadow = report.IsShadow,
            Metrics = { report.Metrics },
            CustomerRefs = { report.Customers },
            LedgerTotal = report.Ledger.ToString(),
            CarriedIn = report.CarriedIn.ToString(),
            CarriedOut = report.CarriedOut.ToString(),
            TakenBack = report.TakenBack.ToString(),
            ExpectedTotal = report.Expected.ToString(),
            InFlight = report.InFlight.ToString(),
            StripeTotal = report.AtStripe.ToString(),
            Drift = report.Drift.ToString(),
            DriftFraction = Text(report.DriftFraction),
            Unbilled = report.Unbilled.ToString(),
            Status = (V1.ReconciliationStatus)report.Status,
            Reason = (V1.DriftReason)report.Reason,
            CheckTime = report.Checked.ToTimestamp(),
        };
        wire.Foreign.AddRange(report.Foreign.Select(usage => new V1.ForeignUsage { Minute = usage.Minute.ToTimestamp(), Value = usage.Value.ToString() }));
        if (report.Suggestion is { } suggestion)
        {
            wire.Suggestion = new V1.AdjustmentSuggestion
            {
                Id = suggestion.Id, Metric = suggestion.Metric, CustomerRef = suggestion.Customer, Delta = suggestion.Delta.ToString(),
            };
        }

        return wire;
    }

    public static V1.ReconciliationRun ToWire(this DomainRun run, TenantId tenant) => new()
    {
        Id = run.Id,
        TenantId = tenant.Value,
        Full = run.IsFull,
        State = (V1.RunState)run.State,
        CreateTime = run.Created.ToTimestamp(),
        StartTime = run.Started?.ToTimestamp(),
        EndTime = run.Ended?.ToTimestamp(),
        OkCount = run.Tally.Ok,
        InvestigateCount = run.Tally.Investigate,
        ResolvedCount = run.Tally.Resolved,
        NotReadCount = run.Tally.NotRead,
        UnreadableCount = run.Tally.Unreadable,
        Problem = run.Problem,
    };

    public static string Text(decimal fraction) => fraction.ToString("0.######", CultureInfo.InvariantCulture);
}
