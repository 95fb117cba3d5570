using System.Text.Json;
using System.Text.Json.Nodes;
using StripeMeter.StripeDouble.Tests.Kit;

namespace StripeMeter.StripeDouble.Tests;

/// <summary>What every request must have, and what every reply must have: our own tables of Stripe's contract.</summary>
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

    /// <summary>Method, path, parameters, and the fields that the reply (or the first object of its list) must have, by JSON type.</summary>
    public static TheoryData<string, string, string, string> Replies { get; } = new()
    {
        { "POST", "/v1/billing/meters", "display_name=x&event_name=new&default_aggregation[formula]=sum", Meter },
        { "GET", "/v1/billing/meters/METER", "", Meter },
        { "GET", "/v1/billing/meters", "", Meter },
        { "POST", "/v1/billing/meters/METER", "display_name=x", Meter },
        { "POST", "/v1/billing/meters/METER/deactivate", "", Meter },
        { "POST", "/v1/billing/meters/INACTIVE/reactivate", "", Meter },
        { "POST", "/v1/billing/meter_events", "event_name=tokens&payload[stripe_customer_id]=cus_1&payload[value]=1", "created:n event_name:s identifier:s livemode:b object:s=billing.meter_event payload.stripe_customer_id:s payload.value:s timestamp:n" },
        { "POST", "/v1/billing/meter_event_adjustments", "event_name=tokens&type=cancel&cancel[identifier]=sent", "event_name:s livemode:b object:s=billing.meter_event_adjustment status:s=complete type:s=cancel cancel.identifier:s" },
        { "GET", "/v1/billing/meters/METER/event_summaries", "customer=cus_1&start_time=DAY&end_time=TOMORROW", "aggregated_value:n end_time:n id:s livemode:b meter:s object:s=billing.meter_event_summary start_time:n" },
        { "POST", "/v1/customers", "name=x", "id:s object:s=customer created:n livemode:b metadata:o name:s" },
        { "POST", "/v1/products", "name=x", "id:s object:s=product active:b created:n updated:n livemode:b metadata:o name:s images:a" },
        { "POST", "/v1/prices", "currency=usd&unit_amount=1&product_data[name]=x", "id:s object:s=price active:b billing_scheme:s created:n currency:s livemode:b metadata:o product:s type:s unit_amount:n unit_amount_decimal:s" },
        { "GET", "/v1/account", "", "id:s object:s=account livemode:b" },
    };

    private const string Meter =
        "created:n customer_mapping.event_payload_key:s customer_mapping.type:s default_aggregation.formula:s display_name:s event_name:s "
        + "id:s livemode:b object:s=billing.meter status:s status_transitions:o updated:n value_settings.event_payload_key:s";

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task Request_Complete_IsTaken(string method, string path, string[] parameters)
    {
        await using var stripe = await StartAsync();
        var reply = await SendAsync(stripe, method, path, parameters);
        Assert.True(reply.Status == 200, reply.Body);
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

    [Theory]
    [MemberData(nameof(Replies))]
    public async Task Reply_HasEveryRequiredField(string method, string path, string parameters, string fields)
    {
        await using var stripe = await StartAsync();
        var reply = await SendAsync(stripe, method, path, parameters.Split('&', StringSplitOptions.RemoveEmptyEntries));
        Assert.True(reply.Status == 200, reply.Body);
        var body = reply.Json;
        if ((string?)body["object"] == "list")
        {
            Assert.Equal((stripe.Fill(path), false), ((string)body["url"]!, (bool)body["has_more"]!));
            body = body["data"]![0]!.AsObject();
        }

        foreach (var field in fields.Split(' '))
            AssertField(body, field);
        Assert.False((bool)body["livemode"]!);
        Assert.StartsWith("req_", reply.Header("Request-Id"), StringComparison.Ordinal);
    }

    private static void AssertField(JsonObject body, string field)
    {
        var colon = field.IndexOf(':', StringComparison.Ordinal);
        var (path, rule) = (field[..colon], field[(colon + 1)..]);
        JsonNode? node = body;
        foreach (var name in path.Split('.'))
            node = node?[name];
        var kind = rule[0] switch
        {
            's' => JsonValueKind.String,
            'n' => JsonValueKind.Number,
            'o' => JsonValueKind.Object,
            'a' => JsonValueKind.Array,
            _ => JsonValueKind.False,
        };
        var found = node?.GetValueKind();
        Assert.True(found == kind || (kind == JsonValueKind.False && found == JsonValueKind.True), $"{path} is {found}, not {kind}");
        if (rule.Length > 2)
            Assert.Equal(rule[2..], (string?)node);
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
