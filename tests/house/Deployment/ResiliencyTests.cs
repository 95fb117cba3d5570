using StripeMeter.Defaults.Hosting;
using StripeMeter.House.Tests.Kit;

namespace StripeMeter.House.Tests.Deployment;

public sealed class ResiliencyTests
{
    private const string File = "components/resiliency.yaml";
    private static readonly Yaml Spec = Yaml.Load(File)["spec"];

    /// <summary>daprd reads each such file as one document.</summary>
    [Fact]
    public void Resiliency_File_HoldsNothingElse()
    {
        Assert.Equal(1, Yaml.CountDocuments(File));
        Assert.Equal([File], Components.Of("").Files.Where(file => Yaml.Load(file)["kind"].Text == "Resiliency"));
    }

    [Fact]
    public void Targets_Everywhere_NameWhatExists()
    {
        Assert.Equal([DaprNames.CounterShardActor], Spec["targets"]["actors"].Keys);
        Assert.Equal([DaprNames.PubSub, DaprNames.StateStore], Spec["targets"]["components"].Keys.Order());
        Assert.Empty(Spec["targets"].Keys.Except(["actors", "components"]));
    }

    [Fact]
    public void Policies_NamedByTargets_AreDefinedAndUsed()
    {
        var components = Spec["targets"]["components"];
        var targets = Spec["targets"]["actors"].Keys.Select(actor => Spec["targets"]["actors"][actor])
            .Concat(components.Keys.SelectMany(component => components[component].Keys.Select(direction => components[component][direction])))
            .ToList();

        Assert.Equal(Spec["policies"]["timeouts"].Keys.Order(), targets.Select(target => target["timeout"].Text).OfType<string>().Distinct().Order());
        Assert.Equal(Spec["policies"]["retries"].Keys.Order(), targets.Select(target => target["retry"].Text).OfType<string>().Distinct().Order());
    }

    /// <summary>Nothing else ends a turn that hangs, and naming an actor type removes the built-in retries.</summary>
    [Fact]
    public void CounterShard_Turn_HasATimeoutAndRetriesOfItsOwn()
    {
        var target = Spec["targets"]["actors"][DaprNames.CounterShardActor];

        Assert.NotNull(target["timeout"].Text);
        Assert.NotNull(target["retry"].Text);
    }

    /// <summary>Without an inbound policy the first RETRY is not retried.</summary>
    [Fact]
    public void PubSub_Inbound_RetriesSomeTimes()
    {
        var retry = Spec["policies"]["retries"][Spec["targets"]["components"][DaprNames.PubSub]["inbound"]["retry"].Text!];

        Assert.InRange(int.Parse(retry["maxRetries"].Text!, System.Globalization.CultureInfo.InvariantCulture), 1, 20);
    }
}
