using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Tenants;
using StripeMeter.Pusher.Telemetry;

namespace StripeMeter.Pusher.Driving;

/// <summary>The way to a test account, counted apart from what is billed.</summary>
internal sealed class ShadowSink(IMeterEventSink sink, TenantId tenant, string metric, PusherInstruments instruments) : IMeterEventSink
{
    public Task<Admission> AdmitAsync(DeltaKey key, MeterNames? minting, CancellationToken cancellation) =>
        sink.AdmitAsync(key, minting, cancellation);

    public async Task<AttemptOutcome> SendAsync(DeltaKey key, PushIntent intent, CancellationToken cancellation)
    {
        var outcome = await sink.SendAsync(key, intent, cancellation).ConfigureAwait(false);
        instruments.ShadowPushed(tenant, metric, outcome.Result);
        return outcome;
    }

    public Task<Quantity?> ReadAsync(DeltaKey key, PushIntent intent, CancellationToken cancellation) => sink.ReadAsync(key, intent, cancellation);
}
