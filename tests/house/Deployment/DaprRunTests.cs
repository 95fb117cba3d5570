using System.Globalization;
using StripeMeter.Defaults.Hosting;
using StripeMeter.House.Tests.Kit;

namespace StripeMeter.House.Tests.Deployment;

/// <summary>dapr.yaml, which the Dapr CLI and localdapr read.</summary>
public sealed class DaprRunTests
{
    // dapr/cli pkg/runfileconfig. Others are ignored there without a word.
    private static readonly string[] SharedKeys =
    [
        "configFilePath", "resourcesPaths", "appProtocol", "apiListenAddresses", "logLevel", "placementHostAddress",
        "schedulerHostAddress", "maxBodySize", "readBufferSize", "env", "daprdLogDestination", "appLogDestination",
    ];

    private static readonly string[] AppKeys = ["appID", "appDirPath", "appPort", "daprHTTPPort", "daprGRPCPort", "command"];
    private static readonly Yaml File = Yaml.Load("dapr.yaml");

    [Fact]
    public void Apps_Always_AreThoseOfTheCatalogueWithTheirPorts()
    {
        var apps = File["apps"].Items.Select(app => (
            app["appID"].Text, Number(app["appPort"]), Number(app["daprHTTPPort"]), Number(app["daprGRPCPort"])));

        Assert.Equal(AppCatalogue.All.Select(app => ((string?)app.Id, app.AppPort, app.DaprHttpPort, app.DaprGrpcPort)), apps);
    }

    /// <summary>The map must be there for every app: the Dapr CLI merges the common one into it.</summary>
    [Fact]
    public void Environment_OfEachApp_NamesItsHttpPort()
    {
        var ports = File["apps"].Items.Select(app => app["env"].Members.Where(entry => entry.Key.EndsWith("_PORT", StringComparison.Ordinal)).Single());

        Assert.Equal(
            AppCatalogue.All.Select(app => KeyValuePair.Create(
                app == AppCatalogue.Gateway ? "API_PORT" : "PROBE_PORT", app.ProbePort.ToString(CultureInfo.InvariantCulture))),
            ports);
    }

    [Fact]
    public async Task Environment_EveryName_IsRead()
    {
        var names = File["apps"].Items.Append(File["common"]).SelectMany(app => app["env"].Keys);

        Assert.Empty(names.Except(await KnownSettings.AllAsync()));
    }

    [Fact]
    public void Paths_Everywhere_Exist()
    {
        Assert.All(File["apps"].Items, app =>
        {
            Assert.Equal($"./services/{app["appID"].Text}", app["appDirPath"].Text);
            Assert.True(Directory.Exists(Repository.PathOf(app["appDirPath"].Text!)));
        });
        Assert.Equal(["./components"], File["common"]["resourcesPaths"].Texts);
        Assert.True(System.IO.File.Exists(Repository.PathOf(File["common"]["configFilePath"].Text!)));
    }

    [Fact]
    public void Common_Channel_IsTheOneServicesListenFor()
    {
        Assert.Equal("h2c", File["common"]["appProtocol"].Text);
        Assert.Equal($"{ServiceHost.MaximumBodyBytes / (1024 * 1024)}Mi", File["common"]["maxBodySize"].Text);
    }

    /// <summary>Apps start side by side: two builds of a project they share would meet.</summary>
    [Fact]
    public void Command_OfEachApp_StartsWhatWasBuiltBefore()
    {
        Assert.All(File["apps"].Items, app => Assert.Equal(["dotnet", "run", "--no-launch-profile", "--no-build"], app["command"].Texts));
    }

    [Fact]
    public void Keys_Everywhere_AreKnownToTheCli()
    {
        Assert.Equal("1", File["version"].Text);
        Assert.Empty(File["common"].Keys.Except(SharedKeys));
        Assert.Empty(File["apps"].Items.SelectMany(app => app.Keys).Except(SharedKeys).Except(AppKeys));
    }

    private static int Number(Yaml value) => int.Parse(value.Text!, CultureInfo.InvariantCulture);
}
