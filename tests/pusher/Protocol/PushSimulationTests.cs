using CsCheck;
using StripeMeter.Metering.Pushing;

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

    /// <summary>Stripe forgets identifiers after a day. What is in doubt by then is settled by its minute.</summary>
    [Fact]
    public void Pushing_WithOutagesOfDays_TellsStripeWhatWasCounted()
    {
        var found = 0;
        Seeds.Sample(
            seed =>
            {
                var simulation = new PushSimulation(seed, faultPercent: 12, longestJump: TimeSpan.FromHours(40));
                simulation.Run();
                simulation.AssertBalanced();
                simulation.AssertHistory();
                found += simulation.Closed.Count(closed => closed.Intent.State is IntentState.Confirmed or IntentState.Missing);
            },
            iter: 300, threads: 1);
        Assert.NotEqual(0, found);
    }
}
