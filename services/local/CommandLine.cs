using System.Reflection;
using StripeMeter.Defaults.Configuration;

namespace StripeMeter.Local;

/// <summary>Reads the command line: <c>--data DIR</c>, <c>--port N</c>, and <c>--NAME value</c> for every setting.</summary>
internal static class CommandLine
{
    public const string Help = """
        StripeMeter, all in one process.

          --data DIR      folder of all data (default ./data)
          --port N        REST port (default 3000)
          --NAME value    any setting of .env.example, such as --STRIPE_WRITER_INTERVAL_MS 2000

        Settings are read from the environment too; the command line wins.
        """;

    private static readonly Dictionary<string, string> Short = new() { ["--data"] = "DATA_DIRECTORY", ["--port"] = "API_PORT" };

    /// <summary>Environment, then command line.</summary>
    /// <exception cref="InvalidSettingException">An argument is not known, or has no value.</exception>
    public static IConfigurationRoot Read(string[] args)
    {
        var known = KnownSettings();
        for (var index = 0; index < args.Length; index += 2)
        {
            if (!Short.ContainsKey(args[index]) && !known.Contains(args[index]))
                throw new InvalidSettingException($"'{args[index]}' is not known.{Environment.NewLine}{Help}");
            if (index + 1 == args.Length)
                throw new InvalidSettingException($"'{args[index]}' needs a value.");
        }

        return new ConfigurationBuilder().AddEnvironmentVariables().AddCommandLine(args, Short).Build();
    }

    /// <summary>Every setting of every service, as an argument.</summary>
    private static HashSet<string> KnownSettings() => LocalSystem.ServiceAssemblies
        .SelectMany(assembly => assembly.GetTypes())
        .SelectMany(type => type.GetProperties())
        .Select(property => property.GetCustomAttribute<SettingAttribute>())
        .OfType<SettingAttribute>()
        .Select(setting => "--" + setting.Name)
        .ToHashSet(StringComparer.Ordinal);
}
