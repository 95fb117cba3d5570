using StripeMeter.Metering.Time;
using Xunit;

namespace StripeMeter.Kits.Storage;

/// <summary>The delta ledger after a restart.</summary>
internal sealed class DeltaRestartPoints(StoreUnderTest subject)
{
    public async Task Deltas_AfterARestart_StandWithTheirRevisions()
    {
        var document = DeltaSample.Full(DeltaSample.Key());
        await subject.Acme.Deltas.SaveAsync(document, subject.Cancellation);
        await subject.Acme.Deltas.AppendHistoryAsync(document.Key, DeltaSample.Intent() with { Closing = 1 }, subject.Cancellation);

        await subject.ReopenAsync();

        DeltaSample.AssertSame(document.Saved(), await subject.Acme.Deltas.LoadAsync(document.Key, subject.Cancellation));
        Assert.False(await subject.Acme.Deltas.SaveAsync(document, subject.Cancellation));
        Assert.True(await subject.Acme.Deltas.SaveAsync(document.Saved(), subject.Cancellation));
        Assert.Single(await subject.Acme.Deltas.HistoryAsync(document.Key, 0, 10, subject.Cancellation));
        Assert.Single(await subject.Acme.Deltas.DueAsync("acct_1", false, Instant.Maximum, 10, subject.Cancellation));
    }
}
