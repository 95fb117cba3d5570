using Grpc.Core;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Periods;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Tenants;
using StripeMeter.V1;

namespace StripeMeter.Aggregator.Explaining;

/// <summary>Asks the pusher what Stripe was told of a counter. Where it does not answer, an explanation says so and goes without.</summary>
public sealed partial class DeltaReader(PushService.PushServiceClient pushes, ILogger<DeltaReader> logger)
{
    /// <summary>How long the pusher is waited for.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    /// <summary>Deltas of one customer and metric that are looked at: accounts, meters and periods.</summary>
    private const int MaximumDeltas = 1_000;

    /// <summary>The deltas that a counter contributes to; null if the pusher did not answer.</summary>
    public async Task<IReadOnlyList<Delta>?> ReadAsync(
        TenantId tenant, EventSeries series, BillingPeriod period, CancellationToken cancellation)
    {
        try
        {
            var request = new ListDeltasRequest
            {
                TenantId = tenant.Value, Metric = series.Metric, CustomerRef = series.Customer, PageSize = MaximumDeltas,
            };
            var listed = await pushes.ListDeltasAsync(request, cancellationToken: cancellation).ConfigureAwait(false);
            var start = period.Start.ToTimestamp();
            return [.. listed.Deltas.Where(delta => delta.PeriodStart.Equals(start))];
        }
        catch (RpcException failure) when (!cancellation.IsCancellationRequested)
        {
            LogNotAnswered(logger, failure.StatusCode, failure.Status.Detail);
            return null;
        }
    }

    [LoggerMessage(251, LogLevel.Warning, "The pusher was asked what Stripe was told, and answered {Status}: {Detail}")]
    private static partial void LogNotAnswered(ILogger logger, StatusCode status, string detail);
}
