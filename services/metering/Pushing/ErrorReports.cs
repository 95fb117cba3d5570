using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Pushing;

/// <summary>
/// Enters Stripe's reports about events that it accepted and then did not count (thin events
/// <c>v1.billing.meter.error_report_triggered</c>). A report lists samples only; what it does not name, the reconciler finds.
/// </summary>
public sealed class ErrorReports(IMeterStore store, PushProtocol protocol, TimeProvider clock)
{
    /// <summary>Longest text kept of a report.</summary>
    public const int MaximumText = 500;

    /// <summary>
    /// Enters that a report names an identifier. Durable when it returns; entering the same again changes nothing. The
    /// intent is rejected once its minute is seen to be empty, and what it was to tell is told anew.
    /// </summary>
    /// <param name="identifier">Identifier of the meter event.</param>
    /// <param name="report">Code and message.</param>
    /// <param name="cancellation">Ends the work.</param>
    /// <returns>False if no intent has the identifier: somebody else wrote to the meter.</returns>
    /// <exception cref="StoreUnavailableException">It may not have been entered. Entering it again is harmless.</exception>
    public async Task<bool> EnterAsync(string identifier, string report, CancellationToken cancellation)
    {
        ArgumentException.ThrowIfNullOrEmpty(identifier);
        ArgumentException.ThrowIfNullOrEmpty(report);
        if (await store.Work.PlaceOfIntentAsync(identifier, cancellation).ConfigureAwait(false) is not { } place)
            return false;
        var deltas = store.Of(place.Tenant).Deltas;
        var text = report.Length > MaximumText ? report[..MaximumText] : report;
        for (var save = 0; save < DeltaChanges.MaximumSaves; save++)
        {
            if (await deltas.LoadAsync(place.Key, cancellation).ConfigureAwait(false) is not { } document)
                return true;
            // After the document: what was closed by then stands in the history.
            var closed = await deltas.FindClosedAsync(identifier, cancellation).ConfigureAwait(false);
            var entered = protocol.EnterReport(document, identifier, closed, text, Instant.Of(clock.GetUtcNow()));
            var isEntered = ReferenceEquals(entered, document)
                ? document.Open?.Identifier != identifier || !document.Open.IsClosed
                : await deltas.SaveAsync(entered, cancellation).ConfigureAwait(false);
            if (isEntered)
                return true;
        }

        throw DeltaChanges.TooSlow();
    }
}
