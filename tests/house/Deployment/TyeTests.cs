using System.Globalization;
using StripeMeter.Defaults.Hosting;
using StripeMeter.House.Tests.Kit;

namespace StripeMeter.House.Tests.Deployment;

public sealed class TyeTests
{
    // dotnet/tye Microsoft.Tye.Extensions/Dapr. http-max-request-size is missing on purpose: it becomes a flag that the Dapr CLI no longer has.
    private static readonly string[] DaprKeys = ["name", "components-path", "config", "app-protocol", "log-level", "placement-port", "services"];
    private static readonly string[] DaprServiceKeys = ["app-id", "grpc-port", "http-port", "metrics-port", "enabled"];
    private static readonly string[] ServiceKeys = ["name", "project", "bindings", "env", "args"];

    private static readonly Yaml File = Yaml.Load("tye.yaml");
    private static readonly Yaml Dapr = Assert.Single(File["extensions"].Items);

    [Fact]
    public void Services_Always_AreThoseOfTheCatalogueAndTheDouble()
    {
        Assert.Equal([.. AppCatalogue.All.Select(app => app.Id), "stripe"], File["services"].Items.Select(service => service["name"].Text));
        Assert.All(File["services"].Items, service => Assert.True(System.IO.File.Exists(Repository.PathOf(service["project"].Text!))));
    }

    /// <summary>The sidecar is given the port of the first binding.</summary>
    [Fact]
    public void Bindings_OfAnApp_AreItsPorts()
    {
        var ports = File["services"].Items.SkipLast(1).Select(service => service["bindings"].Items.Select(binding => binding["port"].Text));

        Assert.Equal(AppCatalogue.All.Select(app => (IEnumerable<string?>)[Text(app.AppPort), Text(app.ProbePort)]), ports);
        Assert.All(File["services"].Items, service => Assert.All(service["bindings"].Items, binding => Assert.Equal("http", binding["protocol"].Text)));
    }

    [Fact]
    public void Sidecars_OfApps_HaveTheirPorts()
    {
        var ports = AppCatalogue.All.Select(app => (Dapr["services"][app.Id]["http-port"].Text, Dapr["services"][app.Id]["grpc-port"].Text));

        Assert.Equal(AppCatalogue.All.Select(app => ((string?)Text(app.DaprHttpPort), (string?)Text(app.DaprGrpcPort))), ports);
        Assert.Equal("h2c", Dapr["app-protocol"].Text);
        Assert.Equal("false", Dapr["services"]["stripe"]["enabled"].Text);
    }

    [Fact]
    public void Extension_Files_AreFound()
    {
        Assert.Equal("dapr", Dapr["name"].Text);
        Assert.True(System.IO.File.Exists(Repository.PathOf($"{Dapr["components-path"].Text}/{Dapr["config"].Text}.yaml")));
    }

    /// <summary>No replicas either: with the Dapr extension Tye refuses more than one.</summary>
    [Fact]
    public void Keys_Everywhere_AreKnownAndWork()
    {
        Assert.Empty(Dapr.Keys.Except(DaprKeys));
        Assert.Empty(Dapr["services"].Keys.SelectMany(name => Dapr["services"][name].Keys).Except(DaprServiceKeys));
        Assert.Empty(File["services"].Items.SelectMany(service => service.Keys).Except(ServiceKeys));
    }

    [Fact]
    public async Task Environment_EveryName_IsRead()
    {
        var names = File["services"].Items.SelectMany(service => service["env"].Items).Select(entry => entry["name"].Text!);

        Assert.Empty(names.Except(await KnownSettings.AllAsync()));
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
