using Stripe.Events;
using StripeMeter.Metering.Pushing;
using StripeMeter.Pusher.Driving;
using StripeMeter.Pusher.StripeApi;

namespace StripeMeter.Pusher.Webhooks;

/// <summary>
/// Meter events that Stripe accepted and then did not count: thin events, so what they say is fetched. Only samples are
/// listed; what none of them names, the reconciler finds.
/// </summary>
internal sealed partial class ErrorReportHandler(
    ErrorReports reports, DrivingService driving, PusherOptions options, ILogger<ErrorReportHandler> logger) : IStripeEventHandler
{
    public bool Handles(string type) => type is "v1.billing.meter.error_report_triggered" or "v1.billing.meter.no_meter_found";

    public async Task HandleAsync(StripeEvent about, AccountMode account, StripeCalls calls, CancellationToken cancellation)
    {
        var fetched = await calls.Client.V2.Core.Events.GetAsync(about.Id, null, calls.RequestFor(account.Id), cancellation).ConfigureAwait(false);
        var unknown = 0;
        foreach (var (identifier, text) in SamplesOf(fetched).Take(options.StripeEventParts))
        {
            if (!await reports.EnterAsync(identifier, text, cancellation).ConfigureAwait(false))
                unknown++;
        }

        if (unknown > 0)
            LogUnknown(logger, about.Id, unknown);
        driving.Wake();
    }

    private static IEnumerable<(string Identifier, string Text)> SamplesOf(Stripe.V2.Core.Event fetched) => fetched switch
    {
        V1BillingMeterErrorReportTriggeredEvent { Data.Reason.ErrorTypes: { } types } =>
            from type in types from sample in type.SampleErrors ?? [] select (sample.Request?.Identifier ?? "", $"{type.Code}: {sample.ErrorMessage}") into named
            where named.Item1.Length > 0 select named,
        V1BillingMeterNoMeterFoundEvent { Data.Reason.ErrorTypes: { } types } =>
            from type in types from sample in type.SampleErrors ?? [] select (sample.Request?.Identifier ?? "", $"{type.Code}: {sample.ErrorMessage}") into named
            where named.Item1.Length > 0 select named,
        _ => [],
    };

    [LoggerMessage(356, LogLevel.Warning, "The error report {EventId} names {Events} meter events that are not ours: another writer uses a meter")]
    private static partial void LogUnknown(ILogger logger, string eventId, int events);
}
