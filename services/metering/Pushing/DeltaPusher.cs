using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Pushing;

/// <summary>
/// Drives the documents of one tenant: saves before it sends, and saves what came of it. Any number of these may drive
/// the same document at once, and each may end at any point.
/// </summary>
/// <param name="ledger">The tenant's delta ledger.</param>
/// <param name="sink">The way to Stripe.</param>
/// <param name="protocol">The rules.</param>
/// <param name="clock">The time.</param>
/// <param name="nonce">128 random bits for an identifier.</param>
/// <param name="traces">Noted with what is minted: see <see cref="PushIntent.Traces"/>.</param>
public sealed class DeltaPusher(
    IDeltaLedger ledger, IMeterEventSink sink, PushProtocol protocol, TimeProvider clock, Func<UInt128> nonce, string traces = "")
{
    /// <summary>Steps of one drive, so that a document that always has something to do leaves room for others.</summary>
    public const int MaximumSteps = 100;

    private Instant Now => Instant.Of(clock.GetUtcNow());

    /// <summary>Does what is to be done with a document now. Answers when it is due again; null if it is not.</summary>
    public async Task<Instant?> DriveAsync(DeltaKey key, CancellationToken cancellation)
    {
        for (var step = 0; step < MaximumSteps; step++)
        {
            if (await ledger.LoadAsync(key, cancellation).ConfigureAwait(false) is not { } document)
                return null;
            switch (protocol.Next(document, Now, nonce()))
            {
                case PushStep.Rest rest:
                    return rest.Until;
                case PushStep.Keep keep:
                    await ledger.SaveAsync(keep.Document, cancellation).ConfigureAwait(false);
                    break;
                case PushStep.Close close:
                    await ledger.AppendHistoryAsync(key, close.Intent, cancellation).ConfigureAwait(false);
                    await ledger.SaveAsync(close.Document, cancellation).ConfigureAwait(false);
                    break;
                case PushStep.Sort sort:
                    var told = await DeltaHistory.LastAsync(ledger, key, sort.AfterClosing, document.Closings, cancellation).ConfigureAwait(false);
                    await ledger.SaveAsync(protocol.Sort(document, told, Now), cancellation).ConfigureAwait(false);
                    break;
                case PushStep.Read read:
                    await ReadAsync(key, read.Intent, cancellation).ConfigureAwait(false);
                    break;
                default:
                    if (!await AttemptAsync(document, cancellation).ConfigureAwait(false))
                        return null;
                    break;
            }
        }

        return Now;
    }

    /// <summary>Notes the traces with an intent that has just been minted.</summary>
    private DeltaDocument Traced(DeltaDocument before, DeltaDocument begun) =>
        before.Open is null ? begun with { Open = begun.Open! with { Traces = traces } } : begun;

    /// <summary>False if the account cannot be called now.</summary>
    private async Task<bool> AttemptAsync(DeltaDocument document, CancellationToken cancellation)
    {
        var key = document.Key;
        var admission = await sink.AdmitAsync(key, document.Open is null ? document.Meter : null, cancellation).ConfigureAwait(false);
        if (admission is { IsAdmitted: false, Problem: null })
            return false;
        if (admission is { IsAdmitted: false, Problem: { } problem })
        {
            var held = protocol.Hold(document, Now + admission.HoldFor, problem, Now);
            await ledger.SaveAsync(held, cancellation).ConfigureAwait(false);
            return true;
        }

        // It may have taken a while to be admitted.
        if (protocol.Next(document, Now, nonce()) is not PushStep.Attempt attempt)
            return true;
        var begun = Traced(document, attempt.Document);
        if (!await ledger.SaveAsync(begun, cancellation).ConfigureAwait(false))
            return true;

        var sent = begun.Open!;
        // A process that was stopped in between may wake up when Stripe has forgotten the identifier that another one sent.
        if (Now >= sent.NextAttempt)
            return true;
        // From here on a cancellation would only leave doubt: the call has a time limit of its own.
        var outcome = await sink.SendAsync(key, sent, CancellationToken.None).ConfigureAwait(false);
        // Should others be faster each time, it stays as sent; once its time is up it is sent or looked for again.
        await ledger.ChangeAsync(key, present => protocol.Apply(present, sent, outcome, Now), CancellationToken.None).ConfigureAwait(false);
        return true;
    }

    private async Task ReadAsync(DeltaKey key, PushIntent intent, CancellationToken cancellation)
    {
        var asked = Now;
        var reading = await sink.ReadAsync(key, intent, cancellation).ConfigureAwait(false);
        await ledger.ChangeAsync(key, document => protocol.EnterReading(document, intent, reading, asked), cancellation).ConfigureAwait(false);
    }
}
