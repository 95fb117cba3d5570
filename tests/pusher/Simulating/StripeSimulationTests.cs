using StripeMeter.Simulation.Running;
using StripeMeter.Simulation.Stripe;

namespace StripeMeter.Pusher.Tests.Simulating;

public sealed class StripeSimulationTests
{
    private const int Seeds = 1_200;

    /// <summary>Most rules are missed sooner.</summary>
    private const int SeedsWithoutARule = 6_000;

    public static TheoryData<string> Rules => [.. BrokenRules.All.Keys];

    [Fact]
    public void Pushing_EverySeed_TellsStripeWhatWasCounted()
    {
        var run = new SeedRun(new StripeScenario());

        run.Run(first: 1, Seeds, Environment.ProcessorCount);

        Assert.Empty(run.Findings);
        Assert.Equal(Seeds, run.Seeds);
    }

    [Fact]
    public void Pushing_OneSeedTwice_IsTheSameRun()
    {
        var scenario = new StripeScenario();

        var (first, second) = (scenario.Run(7), scenario.Run(7));

        Assert.Equal((first.Steps, first.Tally.ToString()), (second.Steps, second.Tally.ToString()));
    }

    [Theory, MemberData(nameof(Rules))]
    public void Pushing_WithoutARule_IsFound(string rule)
    {
        var without = BrokenRules.All[rule];
        var (broken, whole) = (new StripeScenario(without.Broken), new StripeScenario(without.Whole));

        Assert.Contains(
            Enumerable.Range(without.FirstSeed, SeedsWithoutARule),
            seed => broken.Run(seed).Disagreements.Count > 0 && whole.Run(seed).Disagreements.Count == 0);
    }
}
