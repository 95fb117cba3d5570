using StripeMeter.LocalDapr.Commands;

namespace StripeMeter.LocalDapr.Tests.Commands;

public sealed class DaprdFlagsTests
{
    [Fact]
    public void Parse_DaprdsFlags_DescribeTheApp()
    {
        var flags = DaprdFlags.Parse([
            "--app-id", "aggregator", "-app-port=5102", "--app-protocol", "h2c", "--dapr-http-port", "3502",
                "--dapr-grpc-port=50102", "--enable-metrics=false",
            "--placement-host-address", "localhost:50005", "--scheduler-host-address", "", "--max-body-size", "16Mi",
                "--read-buffer-size", "8Ki", "--enable-app-health-check",
            "--dapr-listen-addresses", "127.0.0.1", "--log-level", "debug", "--mode", "standalone", "--metrics-port", "9091",
        ]);

        var app = flags.ToApp();

        Assert.Equal(("aggregator", 5102, AppProtocol.H2c, 3502, 50102),
            (app.AppId, app.AppPort, app.AppProtocol, app.DaprHttpPort, app.DaprGrpcPort));
        Assert.Equal((16 * 1024 * 1024, 8 * 1024), (app.MaximumBodyBytes, app.MaximumHeaderBytes));
    }

    [Fact]
    public void Parse_NothingButTheAppId_TakesDaprdsDefaults()
    {
        var app = DaprdFlags.Parse(["--app-id", "x"]).ToApp();

        Assert.Equal((null, AppProtocol.Http, 3500, 50001), (app.AppPort, app.AppProtocol, app.DaprHttpPort, app.DaprGrpcPort));
    }

    [Theory]
    [InlineData("--no-such-flag", "unknown flag: --no-such-flag")]
    [InlineData("--app-port", "needs an argument")]
    [InlineData("stray", "unexpected argument")]
    [InlineData("--app-port=x --app-id=a", "app-port 'x'")]
    [InlineData("--app-protocol=grpcs --app-id=a", "grpcs")]
    [InlineData("--max-body-size=4Qi --app-id=a", "4Qi")]
    [InlineData("--app-port=1", "app-id")]
    [InlineData("--app-id=a --resources-path=/nowhere/at/all", "/nowhere/at/all")]
    public void Parse_WrongValue_IsRefusedByName(string arguments, string expected)
    {
        var failure = Assert.Throws<LocalDaprConfigurationException>(() => DaprdFlags.Parse(arguments.Split(' ')).ToApp());

        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
    }
}
