using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Time;
using StripeMeter.Pusher.Tests.Kit;

namespace StripeMeter.Pusher.Tests.Protocol;

/// <summary>A reference that is mapped to another Stripe customer.</summary>
public sealed class MovedReferenceTests
{
    private static readonly CancellationToken Never = CancellationToken.None;

    [Fact]
    public async Task Raise_BehindACustomerThatStripeDoesNotKnow_TakesEverythingAlong()
    {
        await using var subject = await PusherUnderTest.StartAsync(pushers: 0);
        var protocol = new PushProtocol(new PushRules { MaximumRejections = 1 }, () => 0);
        var (ledger, clock) = (subject.Store.Deltas, PusherUnderTest.Clock);
        var raiser = new ContributionRaiser(ledger, protocol, clock);
        var wrong = Documents.Empty.Key;
        var right = wrong with { StripeCustomer = "cus_2" };
        await raiser.RaiseAsync(wrong, [Raised(10, version: 1)], Never);
        var documents = new Documents(protocol);
        var refused = documents.Told((await ledger.LoadAsync(wrong, Never))!, Instant.Of(clock.GetUtcNow()), AttemptResult.Refused);
        Assert.NotNull(refused.ParkedSince);
        Assert.True(await ledger.SaveAsync(refused, Never));

        // The second is what a pusher does that died before it could clear its mark.
        for (var time = 1; time <= 2; time++)
        {
            await raiser.RaiseAsync(right, [Raised(12, version: 2)], Never);
            Assert.Equal(("12", "0"), (await TargetAsync(ledger, right), await TargetAsync(ledger, wrong)));
        }

        Assert.Null((await ledger.LoadAsync(wrong, Never))!.ParkedSince);
        Assert.Null((await ledger.LoadAsync(wrong, Never))!.BehindSince);
        await raiser.RaiseAsync(wrong, [Raised(15, version: 3)], Never);
        Assert.Equal(("12", "3"), (await TargetAsync(ledger, right), await TargetAsync(ledger, wrong)));
    }

    private static RaisedContribution Raised(long value, long version) => new(
        PusherUnderTest.ThisMonth, Documents.Counted(value, version, PusherUnderTest.ThisMonth.Start), Documents.Meter, PusherUnderTest.ThisMonth.Start);

    private static async Task<string> TargetAsync(IDeltaLedger ledger, DeltaKey key) =>
        Assert.Single((await ledger.LoadAsync(key, Never))!.Periods).Target.ToString();
}
