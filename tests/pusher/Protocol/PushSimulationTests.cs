using CsCheck;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;

namespace StripeMeter.Pusher.Tests.Protocol;

public sealed class PushSimulationTests
{
    private static readonly Gen<int> Seeds = Gen.Int[0, int.MaxValue - 1];

    [Fact]
    public void Pushing_WithEveryFault_TellsStripeWhatWasCounted() => Seeds.Sample(
        seed =>
        {
            var simulation = new PushSimulation(seed, faultPercent: 8, longestJump: TimeSpan.FromHours(1));
            simulation.Run();
            simulation.AssertBalanced();
            simulation.AssertHistory();
        },
        iter: 400, threads: 1);

    [Fact]
    public void Pushing_WithoutFaults_TellsStripeWhatWasCounted() => Seeds.Sample(
        seed =>
        {
            var simulation = new PushSimulation(seed, faultPercent: 0, longestJump: TimeSpan.FromMinutes(5));
            simulation.Run();
            simulation.AssertBalanced();
            simulation.AssertHistory();
        },
        iter: 100, threads: 1);

    /// <summary>Stripe forgets identifiers after a day. What is in doubt by then is never sent again, and stays to be seen.</summary>
    [Fact]
    public void Pushing_WithOutagesOfDays_NeverTellsTwice()
    {
        var abandoned = 0;
        Seeds.Sample(
            seed =>
            {
                var simulation = new PushSimulation(seed, faultPercent: 12, longestJump: TimeSpan.FromHours(40));
                simulation.Run();
                foreach (var document in simulation.Documents)
                {
                    abandoned += document is { Open.State: IntentState.Ambiguous, Due: null } ? 1 : 0;
                    AssertToldOnce(simulation, document);
                }
            },
            iter: 300, threads: 1);
        Assert.NotEqual(0, abandoned);
    }

    private static void AssertToldOnce(PushSimulation simulation, DeltaDocument document)
    {
        foreach (var delta in document.Periods)
        {
            var told = simulation.Stripe.Sum(document.Key.StripeCustomer, delta.Period.Start, delta.Period.End);
            var open = document.Open is { } intent && intent.PeriodStart == delta.Period.Start ? intent.Value : Quantity.Zero;
            Assert.Contains(told, (Quantity[])[delta.Accepted, delta.Accepted + open]);
        }
    }
}
