using System.Net;
using Microsoft.AspNetCore.HttpOverrides;
using StripeMeter.Defaults.Configuration;
using IPNetwork = System.Net.IPNetwork;

namespace StripeMeter.Gateway.Requests;

/// <summary>Who may stand between a client and the gateway: pages of other origins, and proxies.</summary>
internal static class BrowserAccess
{
    private const string Separator = ",";

    public static void AddBrowsers(this IServiceCollection services, GatewayOptions options)
    {
        var origins = Split(options.CorsOrigins);
        services.AddCors(cors => cors.AddDefaultPolicy(policy => policy.WithOrigins(origins).AllowAnyMethod().AllowAnyHeader().AllowCredentials()));
        var networks = Array.ConvertAll(Split(options.TrustedProxies), ToNetwork);
        services.Configure<ForwardedHeadersOptions>(forwarded =>
        {
            // Nobody is believed by default, not even the loopback.
            forwarded.KnownProxies.Clear();
            forwarded.KnownIPNetworks.Clear();

            // Through as many proxies as are trusted: the client is the first address from the end that is none of them.
            forwarded.ForwardLimit = null;
            forwarded.ForwardedHeaders = networks.Length > 0 ? ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto : ForwardedHeaders.None;
            foreach (var network in networks)
                forwarded.KnownIPNetworks.Add(network);
        });
    }

    private static string[] Split(string list) =>
        list.Split(Separator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static IPNetwork ToNetwork(string text)
    {
        if (IPNetwork.TryParse(text, out var network))
            return network;
        return IPAddress.TryParse(text, out var address)
            ? new IPNetwork(address, address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? 32 : 128)
            : throw new InvalidSettingException($"API_TRUSTED_PROXIES: '{text}' is neither an address nor a network, such as 10.0.0.0/8.");
    }
}
