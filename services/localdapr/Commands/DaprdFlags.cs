using System.Collections.Frozen;

namespace StripeMeter.LocalDapr.Commands;

/// <summary>
/// daprd's own command line. Flags that have nothing to act on here are accepted, so that a script starts either sidecar alike; a
/// flag daprd does not know ends the process, as it does there.
/// </summary>
internal sealed class DaprdFlags
{
    private static readonly FrozenSet<string> WithValue = new[]
    {
        "app-id", "app-port", "app-protocol", "app-channel-address", "app-max-concurrency", "dapr-http-port", "dapr-grpc-port",
        "dapr-internal-grpc-port", "dapr-listen-addresses", "metrics-port", "profile-port", "resources-path", "components-path", "config",
        "placement-host-address", "scheduler-host-address", "max-body-size", "read-buffer-size", "app-health-check-path",
        "app-health-probe-interval", "app-health-probe-timeout", "app-health-threshold", "dapr-graceful-shutdown-seconds",
        "dapr-block-shutdown-duration", "log-level", "mode", "sentry-address", "control-plane-address", "control-plane-trust-domain",
        "control-plane-namespace", "allowed-origins", "trust-anchors-file", "metrics-listen-address", "dapr-public-port",
        "dapr-public-listen-address", "dapr-internal-grpc-listen-address", "actors-service", "reminders-service",
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenSet<string> Switches = new[]
    {
        "enable-metrics", "enable-profiling", "enable-mtls", "enable-app-health-check", "enable-api-logging", "log-as-json", "app-ssl",
        "disable-builtin-k8s-secret-store", "disable-init-endpoints",
    }.ToFrozenSet(StringComparer.Ordinal);

    private readonly Dictionary<string, List<string>> _values = new(StringComparer.Ordinal);

    private DaprdFlags()
    {
    }

    /// <exception cref="LocalDaprConfigurationException">A flag is not known or has no value.</exception>
    public static DaprdFlags Parse(IReadOnlyList<string> arguments)
    {
        var flags = new DaprdFlags();
        for (var index = 0; index < arguments.Count; index++)
        {
            var argument = arguments[index];
            if (!argument.StartsWith('-') || argument.TrimStart('-').Length == 0)
                throw new LocalDaprConfigurationException($"unexpected argument: {argument}");
            var (name, value) = Split(argument.TrimStart('-'));
            if (Switches.Contains(name))
                flags.Add(name, value ?? "true");
            else if (!WithValue.Contains(name))
                throw new LocalDaprConfigurationException($"unknown flag: --{name}");
            else if (value is not null)
                flags.Add(name, value);
            else if (++index < arguments.Count)
                flags.Add(name, arguments[index]);
            else
                throw new LocalDaprConfigurationException($"flag needs an argument: --{name}");
        }

        return flags;
    }

    private static (string Name, string? Value) Split(string flag)
    {
        var equals = flag.IndexOf('=', StringComparison.Ordinal);
        return equals < 0 ? (flag, null) : (flag[..equals], flag[(equals + 1)..]);
    }

    private void Add(string name, string value)
    {
        if (!_values.TryGetValue(name, out var values))
            _values.Add(name, values = []);
        values.Add(value);
    }

    public string? Text(string name) => _values.TryGetValue(name, out var values) ? values[^1] : null;

    public IReadOnlyList<string> Texts(string name) => _values.TryGetValue(name, out var values) ? values : [];

    /// <summary>The app this sidecar is for.</summary>
    public LocalDaprApp ToApp()
    {
        var appId = Text("app-id") ?? throw new LocalDaprConfigurationException("app-id parameter cannot be empty");
        var appPort = Quantities.Port("app-port", Text("app-port"));
        return new LocalDaprApp
        {
            AppId = appId,
            AppPort = appPort is 0 ? null : appPort,
            AppProtocol = Quantities.Protocol(Text("app-protocol")),
            AppChannelAddress = Text("app-channel-address") ?? "127.0.0.1",
            DaprHttpPort = Quantities.Port("dapr-http-port", Text("dapr-http-port")) ?? 3500,
            DaprGrpcPort = Quantities.Port("dapr-grpc-port", Text("dapr-grpc-port")) ?? 50001,
            ListenAddresses = Quantities.Addresses(Text("dapr-listen-addresses")),
            MaximumBodyBytes = Quantities.Bytes("max-body-size", Text("max-body-size")) ?? LocalDaprApp.DefaultMaximumBodyBytes,
            MaximumHeaderBytes = Quantities.Bytes("read-buffer-size", Text("read-buffer-size")) ?? LocalDaprApp.DefaultMaximumHeaderBytes,
            Resources = Resources.ResourceLoader.Load(appId, [.. Texts("resources-path"), .. Texts("components-path")], Texts("config")),
        };
    }
}
