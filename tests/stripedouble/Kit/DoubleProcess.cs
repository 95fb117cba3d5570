using System.Diagnostics;
using System.Text.RegularExpressions;
using Stripe;
using Stripe.Billing;

namespace StripeMeter.StripeDouble.Tests.Kit;

/// <summary>The double as a process of its own, as <c>Program.cs</c> runs it.</summary>
internal sealed partial class DoubleProcess : IAsyncDisposable
{
    private static readonly string Program = typeof(StripeDoubleHost).Assembly.Location;

    private readonly Process _process;
    private readonly HttpClient _http = new() { Timeout = Patience.Limit };
    private readonly StripeClient _client;

    private DoubleProcess(Process process, string address)
    {
        _process = process;
        _client = new StripeClient(new StripeClientOptions
        {
            ApiKey = TestDouble.Key, ApiBase = address, HttpClient = new SystemNetHttpClient(_http, maxNetworkRetries: 0),
        });
    }

    public static async Task<DoubleProcess> StartAsync(string dataFile)
    {
        var process = Start(["--port", "0", "--data", dataFile]);
        var line = await process.StandardOutput.ReadLineAsync().WaitAsync(Patience.Limit);
        var address = Address().Match(line ?? "");
        Assert.True(address.Success, line ?? await process.StandardError.ReadToEndAsync());
        return new DoubleProcess(process, address.Value);
    }

    public static async Task<(int Code, string Message)> RunToEndAsync(params string[] arguments)
    {
        using var process = Start(arguments);
        var message = await process.StandardError.ReadToEndAsync().WaitAsync(Patience.Limit);
        await process.WaitForExitAsync().WaitAsync(Patience.Limit);
        return (process.ExitCode, message);
    }

    /// <summary>Ends it as a loss of the process would: at once.</summary>
    public void Kill() => _process.Kill();

    public Task<Meter> CreateMeterAsync() => _client.V1.Billing.Meters.CreateAsync(new MeterCreateOptions
    {
        DisplayName = "Tokens", EventName = "tokens", DefaultAggregation = new MeterDefaultAggregationOptions { Formula = "sum" },
    });

    public Task SendAsync(string customer, string identifier) => _client.V1.Billing.MeterEvents.CreateAsync(new MeterEventCreateOptions
    {
        EventName = "tokens", Identifier = identifier, Payload = new() { ["stripe_customer_id"] = customer, ["value"] = "1" },
    });

    public async Task<decimal> TotalAsync(string meter, string customer)
    {
        var today = TimeProvider.System.GetUtcNow().UtcDateTime.Date;
        var summaries = await _client.V1.Billing.Meters.EventSummaries.ListAsync(meter, new MeterEventSummaryListOptions
        {
            Customer = customer, StartTime = today.AddDays(-1), EndTime = today.AddDays(2),
        });
        return summaries.Sum(static summary => summary.AggregatedValue);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _http.Dispose();
    }

    private static Process Start(IEnumerable<string> arguments) => Process.Start(new ProcessStartInfo("dotnet", [Program, .. arguments])
    {
        RedirectStandardOutput = true, RedirectStandardError = true,
    })!;

    [GeneratedRegex("http://[0-9.:]+[0-9]")]
    private static partial Regex Address();
}
