using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace StripeMeter.Examples.LlmTokens;

/// <summary>What a request was answered.</summary>
internal readonly record struct IngestTotals(int Accepted, int Duplicates, int Refused)
{
    public static IngestTotals operator +(IngestTotals left, IngestTotals right) =>
        new(left.Accepted + right.Accepted, left.Duplicates + right.Duplicates, left.Refused + right.Refused);
}

/// <summary>The REST calls of the example.</summary>
internal sealed class MeterClient(HttpClient http, TimeProvider clock)
{
    private const int MaximumAttempts = 60;
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);

    /// <summary>Sends a batch. While the service is away or overloaded it is sent again: keys make that safe.</summary>
    public async Task<IReadOnlyDictionary<string, IngestTotals>> IngestAsync(
        IReadOnlyList<UsageEvent> events, CancellationToken cancellation)
    {
        using var body = JsonDocument.Parse(JsonSerializer.SerializeToUtf8Bytes(new { events }, JsonSerializerOptions.Web));
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                using var response = await http.PostAsJsonAsync("/v1/events/ingest", body.RootElement, cancellation);
                if ((int)response.StatusCode < 500)
                    return await ReadAsync(response, events, cancellation);
                if (attempt == MaximumAttempts)
                    throw new HttpRequestException($"Ingest answered {(int)response.StatusCode} {MaximumAttempts} times.");
            }
            catch (HttpRequestException) when (attempt < MaximumAttempts)
            {
            }

            await Task.Delay(RetryPause, clock, cancellation);
        }
    }

    /// <summary>Whether all that was appended is counted.</summary>
    public async Task<bool> IsAllCountedAsync(string tenant, CancellationToken cancellation)
    {
        var progress = await GetAsync($"/v1/counters/progress?tenantId={Uri.EscapeDataString(tenant)}", cancellation);
        return progress["shards"]!.AsArray().All(shard => (long)shard!["projected"]! >= (long)shard["head"]!);
    }

    /// <summary>What one customer used in the current period, by metric.</summary>
    public async Task<Dictionary<string, decimal>> CurrentUsageAsync(
        string tenant, string customer, CancellationToken cancellation)
    {
        var usage = await GetAsync(
            $"/v1/usage/current?tenantId={Uri.EscapeDataString(tenant)}&customerRef={Uri.EscapeDataString(customer)}",
            cancellation);
        return usage["metrics"]!.AsArray().ToDictionary(metric => (string)metric!["name"]!, metric => (decimal)metric!["current"]!);
    }

    /// <summary>Maps a metric onto a Stripe meter unless it is mapped already.</summary>
    public async Task MapAsync(
        string tenant, string metric, string meterId, IReadOnlyDictionary<string, string> customers,
        CancellationToken cancellation)
    {
        var address = $"/v1/mappings?tenantId={Uri.EscapeDataString(tenant)}&metric={Uri.EscapeDataString(metric)}&active=true";
        if ((await GetAsync(address, cancellation)).AsArray().Count > 0)
            return;
        var mapping = new
        {
            tenantId = tenant, metric, aggregation = "sum", stripeAccount = "default", meterId, customers = new { table = customers },
        };
        using var response = await http.PostAsJsonAsync("/v1/mappings", mapping, cancellation);
        if (!response.IsSuccessStatusCode)
            throw new HttpRequestException($"Mapping {metric} failed: {await response.Content.ReadAsStringAsync(cancellation)}");
    }

    private async Task<JsonNode> GetAsync(string address, CancellationToken cancellation)
    {
        using var response = await http.GetAsync(new Uri(address, UriKind.Relative), cancellation);
        var text = await response.Content.ReadAsStringAsync(cancellation);
        return response.IsSuccessStatusCode
            ? JsonNode.Parse(text)!
            : throw new HttpRequestException($"{address} answered {(int)response.StatusCode}: {text}");
    }

    private static async Task<IReadOnlyDictionary<string, IngestTotals>> ReadAsync(
        HttpResponseMessage response, IReadOnlyList<UsageEvent> events, CancellationToken cancellation)
    {
        var text = await response.Content.ReadAsStringAsync(cancellation);
        if (!response.IsSuccessStatusCode)
            throw new HttpRequestException($"Ingest answered {(int)response.StatusCode}: {text}");
        var results = JsonNode.Parse(text)!["results"]!.AsArray();
        return events.Zip(results, (sent, result) => (sent.Metric, Status: (string)result!["status"]!))
            .GroupBy(item => item.Metric)
            .ToDictionary(group => group.Key, group => group.Aggregate(default(IngestTotals), (totals, item) => totals + item.Status switch
            {
                "accepted" => new IngestTotals(1, 0, 0),
                "duplicate" => new IngestTotals(0, 1, 0),
                _ => new IngestTotals(0, 0, 1),
            }));
    }
}
