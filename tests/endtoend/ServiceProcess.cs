using System.Diagnostics;

namespace StripeMeter.EndToEnd.Tests;

/// <summary>Starts programs that were built beside the tests.</summary>
internal static class ServiceProcess
{
    /// <param name="assembly">Name of the assembly: <c>StripeMeter.Local</c>.</param>
    /// <param name="arguments">Command line.</param>
    /// <param name="environment">Added to the environment, from which a Stripe key is taken out.</param>
    public static Process Start(
        string assembly, IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string>> environment)
    {
        var path = Path.Combine(AppContext.BaseDirectory, assembly + ".dll");
        var start = new ProcessStartInfo("dotnet", [path, .. arguments])
        {
            RedirectStandardError = true, RedirectStandardOutput = true,
        };
        start.Environment.Remove("STRIPE_SECRET_KEY");
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        var process = Process.Start(start) ?? throw new InvalidOperationException($"{assembly} could not be started.");
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        return process;
    }

    /// <summary>Whether an address answers with success now.</summary>
    public static async Task<bool> IsReadyAsync(HttpClient http, Uri address)
    {
        try
        {
            using var response = await http.GetAsync(address);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
