using System.Globalization;
using System.Net;

namespace StripeMeter.LocalDapr.Commands;

/// <summary>Reads the values of flags and of run files.</summary>
internal static class Quantities
{
    private static readonly (string Suffix, long Factor)[] ByteSuffixes =
        [("Ki", 1024), ("Mi", 1024 * 1024), ("Gi", 1024 * 1024 * 1024), ("k", 1000), ("K", 1000), ("M", 1_000_000), ("G", 1_000_000_000)];

    public static int? Port(string name, string? text) =>
        string.IsNullOrEmpty(text) ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= 65535 ? port
        : throw new LocalDaprConfigurationException($"{name} '{text}' is not a port");

    /// <summary>A quantity as Kubernetes writes it: <c>16Mi</c>, <c>4Ki</c>, <c>1000</c>.</summary>
    public static int? Bytes(string name, string? text)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        var (suffix, factor) = ByteSuffixes.FirstOrDefault(entry => text.EndsWith(entry.Suffix, StringComparison.Ordinal), ("", 1));
        var digits = text.AsSpan(0, text.Length - suffix.Length);
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= int.MaxValue / factor
            ? (int)(number * factor)
            : throw new LocalDaprConfigurationException($"{name} '{text}' is not a size below 2Gi");
    }

    public static AppProtocol Protocol(string? text) => text switch
    {
        null or "" or "http" => AppProtocol.Http,
        "h2c" => AppProtocol.H2c,
        "grpc" => AppProtocol.Grpc,
        _ => throw new LocalDaprConfigurationException($"app protocol '{text}' is not supported; http, h2c and grpc are"),
    };

    /// <summary>Comma separated; where daprd listens on all by default, this listens on the loopback.</summary>
    public static IReadOnlyList<string> Addresses(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return ["127.0.0.1"];
        var addresses = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        foreach (var address in addresses)
        {
            if (!IPAddress.TryParse(address, out _))
                throw new LocalDaprConfigurationException($"listen address '{address}' is not an IP address");
        }

        return addresses;
    }
}
