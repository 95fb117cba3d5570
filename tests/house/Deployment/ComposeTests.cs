using System.Globalization;
using StripeMeter.Defaults.Hosting;
using StripeMeter.House.Tests.Kit;

namespace StripeMeter.House.Tests.Deployment;

public sealed class ComposeTests
{
    private const string SidecarImage = "daprio/daprd:";
    private static readonly Yaml File = Yaml.Load("docker-compose.yml");
    private static readonly Yaml Services = File["services"];

    public static TheoryData<string> Apps => [.. AppCatalogue.All.Select(app => app.Id)];

    [Theory, MemberData(nameof(Apps))]
    public void Sidecar_OfAnApp_HasTheFlagsOfTheCatalogue(string id)
    {
        var app = App(id);
        var flags = Flags(Services[Sidecar(id)]["command"].Texts);

        Assert.Equal(
            new Dictionary<string, string>
            {
                ["--app-id"] = id,
                ["--app-channel-address"] = id,
                ["--app-port"] = Text(app.AppPort),
                ["--app-protocol"] = "h2c",
                ["--dapr-http-port"] = Text(app.DaprHttpPort),
                ["--dapr-grpc-port"] = Text(app.DaprGrpcPort),
                ["--max-body-size"] = $"{ServiceHost.MaximumBodyBytes / (1024 * 1024)}Mi",
                ["--placement-host-address"] = $"placement:{PortOf("placement")}",
                ["--scheduler-host-address"] = $"scheduler:{PortOf("scheduler")}",
                ["--resources-path"] = "/components",
                ["--config"] = "/components/config.yaml",
            },
            flags);
    }

    [Theory, MemberData(nameof(Apps))]
    public void Service_OfAnApp_ListensAndFindsItsSidecar(string id)
    {
        var app = App(id);
        var environment = Services[id]["environment"].Members;

        Assert.Equal(Text(app.AppPort), environment["APP_PORT"]);
        Assert.Equal(Text(app.ProbePort), environment["PROBE_PORT"]);
        Assert.Equal("0.0.0.0", environment["APP_HOST"]);
        Assert.Equal($"http://{Sidecar(id)}:{app.DaprHttpPort}", environment["DAPR_HTTP_ENDPOINT"]);
        Assert.Equal($"http://{Sidecar(id)}:{app.DaprGrpcPort}", environment["DAPR_GRPC_ENDPOINT"]);
        Assert.Equal(id, Services[id]["build"]["args"]["SERVICE"].Text);
    }

    [Fact]
    public void Gateway_Port_IsPublishedOnLoopback()
    {
        var port = AppCatalogue.Gateway.ProbePort;

        Assert.Equal(Text(port), Services["gateway"]["environment"]["API_PORT"].Text);
        Assert.Equal([$"127.0.0.1:${{API_PORT:-{port}}}:{port}"], Services["gateway"]["ports"].Texts);
    }

    /// <summary>Else what .env says reaches the one and not the other: keys made in a database that no service reads.</summary>
    [Fact]
    public void SettingsFile_OfTheCommands_IsThatOfTheServices()
    {
        var files = AppCatalogue.All.Select(app => app.Id).Append("cli").Select(name => Services[name]["env_file"].Items);

        Assert.All(files, file => Assert.Equal(".env", Assert.Single(file)["path"].Text));
    }

    /// <summary>A sidecar that runs on would not learn of a new topic.</summary>
    [Fact]
    public void Publishers_WhenTheyChange_HaveIngestAndItsSidecarMadeAnew()
    {
        var publishers = Services["ingest"]["environment"]["USAGE_EVENTS_PUBLISHERS"].Text;

        Assert.Equal("${USAGE_EVENTS_PUBLISHERS:-}", publishers);
        Assert.Equal(publishers, Services["ingest-dapr"]["environment"]["USAGE_EVENTS_PUBLISHERS"].Text);
    }

    [Fact]
    public void Sidecars_Always_AreOnePerAppInANamespaceOfItsOwn()
    {
        var sidecars = Services.Keys.Where(name => Services[name]["image"].Text!.StartsWith(SidecarImage, StringComparison.Ordinal));

        Assert.Equal(AppCatalogue.All.Select(app => Sidecar(app.Id)), sidecars);
        Assert.All(Services.Keys, name => Assert.Null(Services[name]["network_mode"].Text));
    }

    [Fact]
    public void DaprImages_Always_HaveOneVersion()
    {
        var versions = Services.Keys.Select(name => Services[name]["image"].Text!)
            .Where(image => image.StartsWith("daprio/", StringComparison.Ordinal) && !image.Contains("dashboard", StringComparison.Ordinal))
            .Select(image => image[(image.IndexOf(':', StringComparison.Ordinal) + 1)..]);

        Assert.Single(versions.Distinct());
    }

    /// <summary>Actor saves are transactions: the replica set must be named at both ends.</summary>
    [Fact]
    public void Mongo_ReplicaSet_IsTheOneInTheConnectionString()
    {
        var command = Services["mongo"]["command"].Texts;
        var name = command[command.ToList().IndexOf("--replSet") + 1];
        var users = AppCatalogue.All.SelectMany(app => new[] { app.Id, Sidecar(app.Id) });

        Assert.All(users, user => Assert.Equal($"mongodb://mongo:27017/?replicaSet={name}", Services[user]["environment"]["MONGO_URL"].Text));
    }

    [Theory, MemberData(nameof(Apps))]
    public void Sidecar_OfAnApp_IsGivenWhatTheComponentsAskFor(string id)
    {
        Assert.Subset(Services[Sidecar(id)]["environment"].Keys.ToHashSet(), Components.Of("").Variables().ToHashSet());
    }

    [Theory, MemberData(nameof(Apps))]
    public void Tokens_OfAnAppAndItsSidecar_AreTheSameAndFromOutside(string id)
    {
        foreach (var token in (string[])["DAPR_API_TOKEN", "APP_API_TOKEN"])
        {
            Assert.StartsWith($"${{{token}:?", Services[id]["environment"][token].Text, StringComparison.Ordinal);
            Assert.Equal(Services[id]["environment"][token].Text, Services[Sidecar(id)]["environment"][token].Text);
        }
    }

    /// <summary>Without secrets nothing starts: an image never runs without authentication by itself.</summary>
    [Theory, MemberData(nameof(Apps))]
    public void Authentication_OfAnApp_IsOnAndItsSecretFromOutside(string id)
    {
        var environment = Services[id]["environment"];

        Assert.StartsWith("${API_KEY_SALT:?", environment["API_KEY_SALT"].Text, StringComparison.Ordinal);
        Assert.DoesNotContain("BYPASS_AUTH", environment.Keys);
        Assert.DoesNotContain("BYPASS_AUTH", Repository.Read("Dockerfile"), StringComparison.Ordinal);
    }

    /// <summary>Images that run as root are an attacker's first step done.</summary>
    [Fact]
    public void Images_OfOurs_RunAsAUserOfNoRights()
    {
        Assert.Contains("USER $APP_UID", Repository.Read("Dockerfile").Split('\n'));
        Assert.All(Services.Keys.Where(name => Services[name]["build"].Keys.Count > 0), name => Assert.Null(Services[name]["user"].Text));
    }

    [Fact]
    public async Task Environment_OfOurImages_NamesWhatIsRead()
    {
        var names = Services.Keys.Where(name => Services[name]["build"].Keys.Count > 0).SelectMany(name => Services[name]["environment"].Keys);

        Assert.Empty(names.Except(await KnownSettings.AllAsync()));
    }

    [Fact]
    public void References_BetweenServicesAndVolumes_AreToWhatExists()
    {
        Assert.Empty(Services.Keys.SelectMany(name => Services[name]["depends_on"].Keys).Except(Services.Keys));
        var volumes = Services.Keys.SelectMany(name => Services[name]["volumes"].Texts).Select(volume => volume.Split(':')[0]).ToHashSet();

        Assert.Equal(File["volumes"].Keys.Order(), volumes.Where(volume => !volume.StartsWith('.')).Order());
        Assert.All(volumes.Where(volume => volume.StartsWith('.')), path => Assert.True(Path.Exists(Repository.PathOf(path))));
    }

    [Fact]
    public void Builds_Always_AreOfServicesThatExist()
    {
        var built = Services.Keys.Select(name => Services[name]["build"]["args"]["SERVICE"].Text).OfType<string>();

        Assert.Equal([.. AppCatalogue.All.Select(app => app.Id), "stripedouble", "cli"], built);
        Assert.All(built, service => Assert.True(System.IO.File.Exists(Repository.PathOf($"services/{service}/{service}.csproj"))));
    }

    private static AppDefinition App(string id) => AppCatalogue.All.Single(app => app.Id == id);

    private static string Sidecar(string id) => id + "-dapr";

    private static string PortOf(string service) => Flags(Services[service]["command"].Texts)["--port"];

    private static Dictionary<string, string> Flags(IReadOnlyList<string> command) =>
        command.Skip(1).Chunk(2).ToDictionary(pair => pair[0], pair => pair[1]);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
