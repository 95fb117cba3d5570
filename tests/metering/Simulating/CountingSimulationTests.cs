using StripeMeter.Simulation.Counting;
using StripeMeter.Simulation.Running;

namespace StripeMeter.Metering.Tests.Simulating;

public sealed class CountingSimulationTests
{
    private const int Seeds = 2_000;
    private const int SeedsThatFind = 10_000;

    public static TheoryData<string> Safeguards => [.. BrokenProtocols.All.Keys];

    [Fact]
    public void Counting_EverySeed_AgreesWithTheReferenceMeter()
    {
        var run = new SeedRun(new CountingScenario());

        run.Run(first: 1, Seeds, Environment.ProcessorCount);

        Assert.Empty(run.Findings);
        Assert.Equal(Seeds, run.Seeds);
    }

    /// <summary>Seeds that disagree where a mistake is made again that was made once. Other draws need other seeds: look for them with the mistake in.</summary>
    /// <remarks>25148: a row ahead of its shard could not be counted anew, and the queue was full, so the shard could not move.</remarks>
    [Theory, InlineData(25148)]
    public void Counting_ASeedOfAFormerMistake_Agrees(int seed) => Assert.Empty(new CountingScenario().Run(seed).Disagreements);

    [Fact]
    public void Counting_OneSeedTwice_IsTheSameRun()
    {
        var scenario = new CountingScenario();

        var (first, second) = (scenario.Run(7), scenario.Run(7));

        Assert.Equal((first.Steps, first.Tally.ToString()), (second.Steps, second.Tally.ToString()));
    }

    [Theory, MemberData(nameof(Safeguards))]
    public void Counting_WithoutASafeguard_IsFound(string safeguard)
    {
        var scenario = new CountingScenario(BrokenProtocols.All[safeguard]);

        Assert.Contains(Enumerable.Range(1, SeedsThatFind), seed => scenario.Run(seed).Disagreements.Count > 0);
    }
}
