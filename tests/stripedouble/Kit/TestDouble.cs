using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Time.Testing;
using Stripe;
using Stripe.Billing;
using StripeMeter.StripeDouble.Faults;

namespace StripeMeter.StripeDouble.Tests.Kit;

/// <summary>A double over a data file of its own, its clock, and the real client in front of it.</summary>
internal sealed class TestDouble : IAsyncDisposable
{
    public const string Key = "sk_test_double";

    private readonly string _folder = Directory.CreateTempSubdirectory("stripedouble-tests-").FullName;
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(20) };
    private readonly Func<StripeDoubleOptions, StripeDoubleOptions> _change;
    private StripeDoubleHost? _host;

    private TestDouble(Func<StripeDoubleOptions, StripeDoubleOptions>? change) => _change = change ?? (static options => options);

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 10, 20, 12, 0, 0, TimeSpan.Zero));

    public StripeDoubleHost Host => _host!;

    public StripeDoubleFaults Faults => Host.Faults;

    public DateTime Now => Time.GetUtcNow().UtcDateTime;

    /// <summary>The client as its users have it, except that every attempt is the caller's.</summary>
    public StripeClient Client => ClientWith(_http);

    public StripeClient ClientWith(HttpClient http, int retries = 0) => new(new StripeClientOptions
    {
        ApiKey = Key,
        ApiBase = Host.BaseAddress.ToString().TrimEnd('/'),
        MeterEventsBase = Host.BaseAddress.ToString().TrimEnd('/'),
        HttpClient = new SystemNetHttpClient(http, maxNetworkRetries: retries),
    });

    public static async Task<TestDouble> StartAsync(Func<StripeDoubleOptions, StripeDoubleOptions>? change = null)
    {
        var created = new TestDouble(change);
        await created.OpenAsync();
        return created;
    }

    /// <summary>Stops the double and starts another over the same file.</summary>
    public async Task RestartAsync()
    {
        await Host.DisposeAsync();
        await OpenAsync();
    }

    public Task<Meter> CreateMeterAsync(string eventName = "tokens", string formula = "sum", string? window = null) =>
        Client.V1.Billing.Meters.CreateAsync(new MeterCreateOptions
        {
            DisplayName = eventName,
            EventName = eventName,
            DefaultAggregation = new MeterDefaultAggregationOptions { Formula = formula },
            EventTimeWindow = window,
        });

    /// <summary>Sends a meter event; <paramref name="at"/> is now when null.</summary>
    public Task<MeterEvent> SendAsync(
        string value, string? identifier = null, DateTime? at = null, string customer = "cus_1", string eventName = "tokens", string? key = null) =>
        Client.V1.Billing.MeterEvents.CreateAsync(
            new MeterEventCreateOptions
            {
                EventName = eventName,
                Identifier = identifier,
                Payload = new() { ["stripe_customer_id"] = customer, ["value"] = value },
                Timestamp = at,
            },
            new RequestOptions { IdempotencyKey = key });

    /// <summary>A session by whose token meter events can be streamed.</summary>
    public Task<Stripe.V2.Billing.MeterEventSession> OpenStreamAsync(RequestOptions? at = null) =>
        Client.V2.Billing.MeterEventSession.CreateAsync(new Stripe.V2.Billing.MeterEventSessionCreateOptions(), at);

    /// <summary>What Stripe has of a customer on the day of the test.</summary>
    public async Task<decimal?> TotalAsync(Meter meter, string customer = "cus_1") =>
        (await SummariesAsync(meter, Now.Date, Now.Date.AddDays(1), customer: customer)).SingleOrDefault()?.AggregatedValue;

    public async Task<List<MeterEventSummary>> SummariesAsync(
        Meter meter, DateTime start, DateTime end, string? window = null, string customer = "cus_1") =>
        (await Client.V1.Billing.Meters.EventSummaries.ListAsync(meter.Id, new MeterEventSummaryListOptions
        {
            Customer = customer, StartTime = start, EndTime = end, ValueGroupingWindow = window, Limit = 100,
        })).Data;

    /// <summary>Sends what the client would not: form text as it is.</summary>
    public async Task<RawReply> SendRawAsync(
        HttpMethod method, string path, string? form = null, string? key = Key, Action<HttpRequestMessage>? change = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(Host.BaseAddress, path));
        if (key is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (form is not null)
            request.Content = new StringContent(form, System.Text.Encoding.UTF8, "application/x-www-form-urlencoded");
        change?.Invoke(request);
        using var response = await _http.SendAsync(request);
        var body = await response.Content.ReadAsStringAsync();
        return new((int)response.StatusCode, body, response.Headers);
    }

    /// <summary>Rows of a table of the data file.</summary>
    public async Task<long> CountRowsAsync(string table)
    {
        await using var connection = new SqliteConnection($"Data Source={Path.Combine(_folder, "double.db")};Pooling=False");
        await connection.OpenAsync();
        await using var count = connection.CreateCommand();
        count.CommandText = $"SELECT count(*) FROM {table}";
        return (long)(await count.ExecuteScalarAsync())!;
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        _http.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task OpenAsync() => _host = await StripeDoubleHost.StartAsync(_change(new StripeDoubleOptions
    {
        DataFile = Path.Combine(_folder, "double.db"), Port = 0, TimeProvider = Time,
        // Tests settle when they say so; moving their clock by a day would ring for each interval in it.
        SettleInterval = TimeSpan.FromHours(6),
    }));
}

internal sealed record RawReply(int Status, string Body, HttpResponseHeaders Headers)
{
    public JsonObject Json => JsonNode.Parse(Body)!.AsObject();

    public JsonObject Error => Json["error"]!.AsObject();

    public string? Code => (string?)Json["error"]?["code"];

    public string? Parameter => (string?)Json["error"]?["param"];

    public string? Type => (string?)Json["error"]?["type"];

    public string? Header(string name) => Headers.TryGetValues(name, out var values) ? values.Single() : null;
}
