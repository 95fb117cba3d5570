using System.Reflection;
using StripeMeter.Defaults.Configuration;
using StripeMeter.House.Tests.Kit;

namespace StripeMeter.House.Tests.Deployment;

/// <summary>Names of environment variables that something reads.</summary>
internal static class KnownSettings
{
    /// <summary>Read by the Dapr SDK, by telemetry, or by our registration of service clients.</summary>
    public static IReadOnlyList<string> Libraries { get; } =
    [
        "DAPR_HTTP_ENDPOINT", "DAPR_GRPC_ENDPOINT", "DAPR_HTTP_PORT", "DAPR_GRPC_PORT", "DAPR_API_TOKEN", "APP_API_TOKEN",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
    ];

    /// <summary>Declared by the options of the services: the defaults by name, as they would be written.</summary>
    public static async Task<ILookup<string, string>> OfServicesAsync()
    {
        var properties =
            from project in await Repository.ProjectsAsync()
            where project.Folder.StartsWith("services/", StringComparison.Ordinal)
            from type in Assembly.Load(new AssemblyName(project.AssemblyName!)).GetTypes()
            where !type.ContainsGenericParameters
            from property in type.GetProperties()
            let setting = property.GetCustomAttribute<SettingAttribute>()
            where setting is not null
            select (setting.Name, Default: Written(property.GetValue(Activator.CreateInstance(type))));
        return properties.ToLookup(setting => setting.Name, setting => setting.Default);
    }

    /// <summary>Every name that something reads.</summary>
    public static async Task<IReadOnlySet<string>> AllAsync() =>
        (await OfServicesAsync()).Select(setting => setting.Key).Concat(Libraries).ToHashSet();

    /// <summary>Nothing, and -1 for "the service's own", are written as nothing.</summary>
    private static string Written(object? value) => value switch
    {
        null or -1 => "",
        string text => text,
        IFormattable number and not Enum => number.ToString(null, System.Globalization.CultureInfo.InvariantCulture),
        _ => value.ToString()!.ToLowerInvariant(),
    };
}
