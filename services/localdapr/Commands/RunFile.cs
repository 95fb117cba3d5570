using StripeMeter.LocalDapr.Resources;
using YamlDotNet.RepresentationModel;

namespace StripeMeter.LocalDapr.Commands;

/// <summary>One app of a run file: its sidecar and the command that starts it.</summary>
internal sealed record RunFileApp
{
    public required LocalDaprApp App { get; init; }

    public required string Folder { get; init; }

    /// <summary>Empty: only the sidecar is started.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    public required IReadOnlyDictionary<string, string> Environment { get; init; }

    public required int? MetricsPort { get; init; }
}

/// <summary>A <c>dapr.yaml</c> for <c>dapr run -f</c> (dapr/cli <c>pkg/runfileconfig</c>). Keys that are not known are ignored,
/// as there.</summary>
internal static class RunFile
{
    public const string DefaultName = "dapr.yaml";

    /// <exception cref="LocalDaprConfigurationException">The file, or a path in it, cannot be used.</exception>
    public static IReadOnlyList<RunFileApp> Read(string path)
    {
        var file = Path.GetFullPath(Directory.Exists(path) ? Path.Combine(path, DefaultName) : path);
        var document = YamlReading.Documents(file) is [var first, ..] ? first
            : throw new LocalDaprConfigurationException($"{file} is empty");
        if (document.Text("version") is null)
            throw new LocalDaprConfigurationException($"{file}: version is missing");
        var reader = new Reader(file, Path.GetDirectoryName(file)!, document.Map("common"));
        return [.. document.List("apps").OfType<YamlMappingNode>().Select(reader.ReadApp)];
    }

    private sealed class Reader(string file, string root, YamlMappingNode? common)
    {
        public RunFileApp ReadApp(YamlMappingNode app)
        {
            var folder = Existing(root, app.Text("appDirPath")
                ?? throw new LocalDaprConfigurationException($"{file}: appDirPath of an app is missing"));
            var appId = app.Text("appID") ?? new DirectoryInfo(folder).Name;
            var appPort = Quantities.Port("appPort", app.Text("appPort"));
            var environment = Variables(common).Concat(Variables(app)).GroupBy(static pair => pair.Name)
                .ToDictionary(static group => group.Key, static group => group.Last().Value);
            return new RunFileApp
            {
                Folder = folder,
                Command = app.Texts("command"),
                Environment = environment,
                MetricsPort = Quantities.Port("metricsPort", app.Text("metricsPort")),
                App = new LocalDaprApp
                {
                    AppId = appId,
                    AppPort = appPort is 0 ? null : appPort,
                    AppProtocol = Quantities.Protocol(Either(app, "appProtocol")),
                    AppChannelAddress = app.Text("appChannelAddress") ?? "127.0.0.1",
                    DaprHttpPort = Quantities.Port("daprHTTPPort", app.Text("daprHTTPPort")) ?? 0,
                    DaprGrpcPort = Quantities.Port("daprGRPCPort", app.Text("daprGRPCPort")) ?? 0,
                    ListenAddresses = Quantities.Addresses(Either(app, "apiListenAddresses")),
                    MaximumBodyBytes = Quantities.Bytes("maxBodySize", Either(app, "maxBodySize")) ?? LocalDaprApp.DefaultMaximumBodyBytes,
                    MaximumHeaderBytes = Quantities.Bytes("readBufferSize", Either(app, "readBufferSize"))
                        ?? LocalDaprApp.DefaultMaximumHeaderBytes,
                    Resources = ResourceLoader.Load(appId, ResourcesOf(app, folder), ConfigurationOf(app, folder)),
                },
            };
        }

        private string? Either(YamlMappingNode app, string key) => app.Text(key) ?? common.Text(key);

        private static IEnumerable<(string Name, string Value)> Variables(YamlMappingNode? node) =>
            node.Map("env").Members().Select(static member => (member.Name, member.Value.ToString()));

        /// <summary>The app's own, then the folder's, then the common ones, then the user's.</summary>
        private IReadOnlyList<string> ResourcesOf(YamlMappingNode app, string folder)
        {
            if (PathsOf(app) is { Count: > 0 } own)
                return [.. own.Select(path => Existing(folder, path))];
            var local = Path.Combine(folder, ".dapr", "resources");
            if (Directory.Exists(local))
                return [local];
            if (PathsOf(common) is { Count: > 0 } shared)
                return [.. shared.Select(path => Existing(root, path))];
            var user = Path.Combine(Home, ".dapr", "components");
            return Directory.Exists(user) ? [user] : [];
        }

        private static IReadOnlyList<string> PathsOf(YamlMappingNode? node) =>
            node.Texts("resourcesPaths") is { Count: > 0 } several ? several : node.Text("resourcesPath") is { } one ? [one] : [];

        private IReadOnlyList<string> ConfigurationOf(YamlMappingNode app, string folder)
        {
            if (app.Text("configFilePath") is { } own)
                return [Existing(folder, own)];
            var local = Path.Combine(folder, ".dapr", "config.yaml");
            if (File.Exists(local))
                return [local];
            if (common.Text("configFilePath") is { } shared)
                return [Existing(root, shared)];
            var user = Path.Combine(Home, ".dapr", "config.yaml");
            return File.Exists(user) ? [user] : [];
        }

        private static string Home => System.Environment.GetFolderPath(System.Environment.SpecialFolder.UserProfile);

        private string Existing(string relativeTo, string path)
        {
            var full = Path.GetFullPath(path, relativeTo);
            return Path.Exists(full) ? full : throw new LocalDaprConfigurationException($"{file}: '{path}' does not exist ({full})");
        }
    }
}
