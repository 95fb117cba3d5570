using StripeMeter.LocalDapr.Commands;

namespace StripeMeter.LocalDapr.Tests.Commands;

public sealed class RunFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("localdapr-tests-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Write(string text)
    {
        Directory.CreateDirectory(Path.Combine(_folder, "services", "aggregator"));
        Directory.CreateDirectory(Path.Combine(_folder, "components"));
        var path = Path.Combine(_folder, "dapr.yaml");
        File.WriteAllText(path, text);
        return path;
    }

    [Fact]
    public void Read_AppsAndCommon_AreCombined()
    {
        var path = Write("""
            version: 1
            common:
              resourcesPaths: [./components]
              appProtocol: h2c
              env: { A: common, B: common }
            apps:
            - appDirPath: ./services/aggregator
              appPort: 5102
              daprHTTPPort: 3502
              maxBodySize: 16Mi
              unknownKey: ignored
              env: { B: own }
              command: ["dotnet", "run"]
            """);

        var app = Assert.Single(RunFile.Read(path));

        Assert.Equal(("aggregator", 5102, 3502, 0, AppProtocol.H2c),
            (app.App.AppId, app.App.AppPort, app.App.DaprHttpPort, app.App.DaprGrpcPort, app.App.AppProtocol));
        Assert.Equal(16 * 1024 * 1024, app.App.MaximumBodyBytes);
        Assert.Equal(["dotnet", "run"], app.Command);
        Assert.Equal(("common", "own"), (app.Environment["A"], app.Environment["B"]));
        Assert.Equal(Path.Combine(_folder, "services", "aggregator"), app.Folder);
    }

    [Theory]
    [InlineData("apps: []", "version")]
    [InlineData("version: 1\napps: [{ appID: x }]", "appDirPath")]
    [InlineData("version: 1\napps: [{ appDirPath: ./nowhere }]", "nowhere")]
    [InlineData("version: 1\ncommon: { resourcesPaths: [./missing] }\napps: [{ appDirPath: . }]", "missing")]
    [InlineData("version: 1\napps: [{ appDirPath: ., appProtocol: https }]", "https")]
    public void Read_WhatCannotBeUsed_IsRefusedByName(string yaml, string expected)
    {
        var path = Write(yaml);

        Assert.Contains(expected, Assert.Throws<LocalDaprConfigurationException>(() => RunFile.Read(path)).Message,
            StringComparison.Ordinal);
    }
}
