using StripeMeter.StripeDouble.Tests.Kit;

namespace StripeMeter.StripeDouble.Tests;

/// <summary>What the double does with requests that are whole, that have too much, and that lack something.</summary>
public sealed class ContractTests
{
    /// <summary>Method, path, a complete set of parameters; a star marks those that are required.</summary>
    public static TheoryData<string, string, string[]> Requests { get; } = new()
    {
        { "POST", "/v1/billing/meters", ["*display_name=x", "*event_name=new", "*default_aggregation[formula]=sum", "customer_mapping[event_payload_key]=c", "customer_mapping[type]=by_id", "value_settings[event_payload_key]=v", "event_time_window=hour"] },
        { "GET", "/v1/billing/meters", ["limit=1", "status=active"] },
        { "GET", "/v1/billing/meters/METER", [] },
        { "POST", "/v1/billing/meters/METER", ["display_name=x"] },
        { "POST", "/v1/billing/meters/METER/deactivate", [] },
        { "POST", "/v1/billing/meters/INACTIVE/reactivate", [] },
        { "GET", "/v1/billing/meters/METER/event_summaries", ["*customer=cus_1", "*start_time=86400", "*end_time=172800", "value_grouping_window=day", "limit=5"] },
        { "POST", "/v1/billing/meter_events", ["*event_name=tokens", "*payload[stripe_customer_id]=cus_1", "*payload[value]=1", "identifier=new", "timestamp=NOW"] },
        { "POST", "/v1/billing/meter_event_adjustments", ["*event_name=tokens", "*type=cancel", "*cancel[identifier]=sent"] },
        { "POST", "/v1/customers", ["name=x", "email=x@example.com", "metadata[a]=b"] },
        { "GET", "/v1/customers", ["limit=1"] },
        { "POST", "/v1/products", ["*name=x"] },
        { "GET", "/v1/prices", ["limit=1", "active=true"] },
        { "GET", "/v1/account", [] },
    };

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task Request_Complete_IsTaken(string method, string path, string[] parameters)
    {
        await using var stripe = await StartAsync();
        var reply = await SendAsync(stripe, method, path, parameters);
        Assert.True(reply.Status == 200, reply.Body);
        Assert.StartsWith("req_", reply.Header("Request-Id"), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task Request_UnknownParameter_IsRefused(string method, string path, string[] parameters)
    {
        await using var stripe = await StartAsync();
        foreach (var unknown in new[] { "colour", "colour[a][b]" })
        {
            var reply = await SendAsync(stripe, method, path, [.. parameters, $"{unknown}=red"]);
            Assert.Equal((400, "parameter_unknown", "invalid_request_error"), (reply.Status, reply.Code, reply.Type));
            Assert.Equal("colour", reply.Parameter);
        }
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task Request_RequiredParameterMissing_IsRefused(string method, string path, string[] parameters)
    {
        await using var stripe = await StartAsync();
        foreach (var required in parameters.Where(static parameter => parameter[0] == '*'))
        {
            var reply = await SendAsync(stripe, method, path, [.. parameters.Where(parameter => parameter != required)]);
            Assert.Equal((400, "parameter_missing", "invalid_request_error"), (reply.Status, reply.Code, reply.Type));
            Assert.StartsWith(reply.Parameter!, required[1..], StringComparison.Ordinal);
        }
    }

    private static Task<RawReply> SendAsync(Prepared stripe, string method, string path, IEnumerable<string> parameters)
    {
        var form = stripe.Fill(string.Join('&', parameters.Select(static parameter => parameter.TrimStart('*'))));
        path = stripe.Fill(path);
        return method == "GET"
            ? stripe.Double.SendRawAsync(HttpMethod.Get, $"{path}?{form}")
            : stripe.Double.SendRawAsync(HttpMethod.Post, path, form.Length > 0 ? form : null);
    }

    private static async Task<Prepared> StartAsync()
    {
        var stripe = await TestDouble.StartAsync();
        var (meter, inactive) = (await stripe.CreateMeterAsync(), await stripe.CreateMeterAsync("off"));
        await stripe.Client.V1.Billing.Meters.DeactivateAsync(inactive.Id);
        await stripe.SendAsync("1", "sent");
        return new Prepared(stripe, meter.Id, inactive.Id);
    }

    /// <summary>A double that has one of each, and the names the tables use for them.</summary>
    private sealed record Prepared(TestDouble Double, string Meter, string Inactive) : IAsyncDisposable
    {
        public string Fill(string text)
        {
            var day = new DateTimeOffset(Double.Now.Date, TimeSpan.Zero).ToUnixTimeSeconds();
            return text.Replace("INACTIVE", Inactive, StringComparison.Ordinal)
                .Replace("METER", Meter, StringComparison.Ordinal)
                .Replace("DAY", $"{day}", StringComparison.Ordinal)
                .Replace("TOMORROW", $"{day + 86_400}", StringComparison.Ordinal)
                .Replace("NOW", $"{Double.Time.GetUtcNow().ToUnixTimeSeconds()}", StringComparison.Ordinal);
        }

        public ValueTask DisposeAsync() => Double.DisposeAsync();
    }
}
