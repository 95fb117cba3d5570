using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Stripe;
using Stripe.Billing;
using StripeMeter.Kits.Files;
using Xunit;

namespace StripeMeter.EndToEnd.Tests;

/// <summary>Runs the example on its excerpt against a system, and compares totals in the counters and at Stripe with the file's.</summary>
internal sealed class LlmTokensScenario(Uri rest, string stripeBase)
{
    private const int Rows = 100;
    private static readonly string[] Metrics = ["llm_requests", "input_tokens", "output_tokens"];
    private readonly string _end = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>Returns when at least so many records stand in the ledger, or when sending has ended.</summary>
    public async Task UntilAppendedAsync(int events, Task sending)
    {
        using var http = new HttpClient { BaseAddress = rest };
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!sending.IsCompleted)
        {
            var progress = JsonNode.Parse(await http.GetStringAsync(new Uri("/v1/counters/progress?tenantId=acme", UriKind.Relative)))!;
            if (progress["shards"]!.AsArray().Sum(shard => (long)shard!["head"]!) >= events)
                return;
            await timer.WaitForNextTickAsync();
        }
    }

    /// <summary>Runs the example. Returns its exit code: zero if counted and pushed agree.</summary>
    public async Task<int> SendAsync(params string[] options)
    {
        var assembly = Path.Combine(AppContext.BaseDirectory, "StripeMeter.Examples.LlmTokens.dll");
        string[] arguments =
        [
            assembly, ExcerptPath(), "--end", _end, "--url", rest.ToString(), "--stripe", stripeBase, "--wait-seconds", "30", .. options,
        ];
        var start = new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Remove("STRIPE_SECRET_KEY");
        using var process = Process.Start(start) ?? throw new InvalidOperationException("The example could not be started.");
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        TestContext.Current.TestOutputHelper?.WriteLine(await output + await error);
        return process.ExitCode;
    }

    public async Task AssertTotalsAsync()
    {
        var lines = await System.IO.File.ReadAllLinesAsync(ExcerptPath());
        var rows = lines.Skip(1).Select(line => line.Split(',')).ToArray();
        Assert.Equal(Rows, rows.Length);
        long[] expected = [Rows, rows.Sum(row => long.Parse(row[1], CultureInfo.InvariantCulture)), rows.Sum(row => long.Parse(row[2], CultureInfo.InvariantCulture))];
        Assert.Equal(expected, await AtStripeAsync());
        Assert.Equal(expected, await CountedAsync());
    }

    private async Task<long[]> CountedAsync()
    {
        using var http = new HttpClient { BaseAddress = rest };
        var totals = new long[Metrics.Length];
        for (var customer = 1; customer <= 25; customer++)
        {
            var usage = JsonNode.Parse(await http.GetStringAsync(
                new Uri(FormattableString.Invariant($"/v1/usage/current?tenantId=acme&customerRef=cus_{customer:00}"), UriKind.Relative)))!;
            foreach (var metric in usage["metrics"]!.AsArray())
                totals[Array.IndexOf(Metrics, (string)metric!["name"]!)] += (long)metric["current"]!;
        }

        return totals;
    }

    private async Task<long[]> AtStripeAsync()
    {
        var stripe = new StripeClient(new StripeClientOptions { ApiKey = "sk_test_double", ApiBase = stripeBase });
        var meters = (await stripe.V1.Billing.Meters.ListAsync(new MeterListOptions { Limit = 100 })).Data;
        var totals = new long[Metrics.Length];
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        var month = new DateTime(now.Year, now.Month, 1, 0, 0, 0, DateTimeKind.Utc);
        foreach (var meter in meters)
        {
            for (var customer = 1; customer <= 25; customer++)
            {
                var summaries = await stripe.V1.Billing.Meters.EventSummaries.ListAsync(meter.Id, new MeterEventSummaryListOptions
                {
                    Customer = FormattableString.Invariant($"cus_{customer:00}"), StartTime = month, EndTime = month.AddMonths(1), Limit = 100,
                });
                totals[Array.IndexOf(Metrics, meter.EventName["acme_".Length..])] += (long)summaries.Data.Sum(summary => summary.AggregatedValue);
            }
        }

        return totals;
    }

    private static string ExcerptPath() => Path.Combine(Repository.Root, "examples", "llm-tokens", "excerpt.csv");
}
