using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Stripe;
using StripeMeter.StripeDouble.Tests.Kit;

namespace StripeMeter.StripeDouble.Tests.Contract;

/// <summary>A double that has one of each, and the names that the table uses for them.</summary>
internal sealed partial class PreparedDouble : IAsyncDisposable
{
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);

    private PreparedDouble(TestDouble stripe) => Double = stripe;

    public TestDouble Double { get; }

    public static async Task<PreparedDouble> StartAsync()
    {
        var prepared = new PreparedDouble(await TestDouble.StartAsync());
        await prepared.AddMetersAsync();
        await prepared.AddSubscriptionsAsync();
        await prepared.Double.SendAsync("1", "sent", prepared.Double.Host.Now.UtcDateTime);
        prepared._names["token"] = (await prepared.Double.OpenStreamAsync()).AuthenticationToken;
        prepared._names["account"] = prepared.Double.Host.AccountId;
        return prepared;
    }

    /// <summary>A text of the table with the names in it replaced.</summary>
    public string Fill(string text) => Name().Replace(text, match => Value(match.Groups[1].Value));

    public List<KeyValuePair<string, string>> Fill(IEnumerable<KeyValuePair<string, string>> parameters) =>
        [.. parameters.Select(parameter => KeyValuePair.Create(parameter.Key, Fill(parameter.Value)))];

    /// <summary>Sends a call of the table.</summary>
    /// <param name="call">The call.</param>
    /// <param name="parameters">Its parameters.</param>
    /// <param name="key">In the place of its key; empty for none.</param>
    /// <param name="change">What else is different.</param>
    public Task<RawReply> SendAsync(
        ContractCall call, IEnumerable<KeyValuePair<string, string>> parameters, string? key = null, Action<HttpRequestMessage>? change = null)
    {
        var filled = Fill(parameters);
        var form = string.Join('&', filled.Select(static parameter => $"{parameter.Key}={Uri.EscapeDataString(parameter.Value)}"));
        var path = Fill(call.Path.Replace("{id}", call.Id, StringComparison.Ordinal));
        key = Fill(key ?? call.Key ?? TestDouble.Key);
        return Double.SendRawAsync(new HttpMethod(call.Method), call.Method == "GET" ? $"{path}?{form}" : path, null, key.Length > 0 ? key : null, request =>
        {
            if (call.IsV2)
                request.Content = new StringContent(Nested(filled).ToJsonString(), Encoding.UTF8, "application/json");
            else if (call.Method != "GET")
                request.Content = new StringContent(form, Encoding.UTF8, "application/x-www-form-urlencoded");
            if (call.Version is { } version)
                request.Headers.Add("Stripe-Version", version);
            change?.Invoke(request);
        });
    }

    public ValueTask DisposeAsync() => Double.DisposeAsync();

    private async Task AddMetersAsync()
    {
        _names["meter"] = (await Double.CreateMeterAsync()).Id;
        _names["inactive"] = (await Double.CreateMeterAsync("off")).Id;
        await Double.Client.V1.Billing.Meters.DeactivateAsync(_names["inactive"]);
    }

    /// <summary>A metered and a legacy one, a period of which is over.</summary>
    private async Task AddSubscriptionsAsync()
    {
        var v1 = Double.Client.V1;
        await v1.Customers.CreateAsync(new CustomerCreateOptions { Name = "One" });
        _names["product"] = (await v1.Products.CreateAsync(new ProductCreateOptions { Name = "Tokens" })).Id;
        _names["price"] = (await v1.Prices.CreateAsync(new PriceCreateOptions
        {
            Currency = "usd", UnitAmount = 5, Product = _names["product"],
            Recurring = new PriceRecurringOptions { Interval = "month", UsageType = "metered", Meter = _names["meter"] },
        })).Id;
        var legacy = await Double.SendRawAsync(
            HttpMethod.Post, "/v1/prices", $"currency=usd&unit_amount=3&product={_names["product"]}&recurring[interval]=month&recurring[usage_type]=metered",
            change: static request => request.Headers.Add("Stripe-Version", "2024-06-20"));
        var subscription = await SubscribeAsync(_names["price"]);
        (_names["subscription"], _names["item"]) = (subscription.Id, subscription.Items.Data[0].Id);
        _names["legacy item"] = (await SubscribeAsync((string)legacy.Json["id"]!)).Items.Data[0].Id;
        await Double.Host.AdvanceAsync(subscription.Items.Data[0].CurrentPeriodEnd - Double.Now);
        _names["draft"] = (await v1.Invoices.ListAsync(new InvoiceListOptions { Status = "draft", Subscription = subscription.Id })).Single().Id;
    }

    private Task<Subscription> SubscribeAsync(string price) =>
        Double.Client.V1.Subscriptions.CreateAsync(new SubscriptionCreateOptions { Customer = "cus_1", Items = [new() { Price = price }] });

    private string Value(string name)
    {
        var now = Double.Host.Now;
        var day = new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero);
        return name switch
        {
            "now" => Seconds(now),
            "now as text" => now.ToString("O", CultureInfo.InvariantCulture),
            "day" => Seconds(day),
            "tomorrow" => Seconds(day.AddDays(1)),
            "too old" => Seconds(now.AddDays(-35).AddSeconds(-1)),
            "too early" => Seconds(now.AddMinutes(5).AddSeconds(1)),
            "too long" => new string('x', 256),
            _ => _names[name],
        };
    }

    private static string Seconds(DateTimeOffset moment) => moment.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);

    /// <summary><c>a[b]=1</c> as <c>{"a":{"b":"1"}}</c>; what is numbered from 0 is a list.</summary>
    private static JsonObject Nested(IEnumerable<KeyValuePair<string, string>> parameters)
    {
        var root = new JsonObject();
        foreach (var (name, value) in parameters)
        {
            var segments = name.Replace("]", "", StringComparison.Ordinal).Split('[');
            var map = root;
            foreach (var segment in segments[..^1])
                map = (map[segment] ??= new JsonObject()).AsObject();
            map[segments[^1]] = value;
        }

        return WithLists(root).AsObject();
    }

    private static JsonNode WithLists(JsonNode node)
    {
        if (node is not JsonObject map)
            return node.DeepClone();
        var parts = map.Select(static part => KeyValuePair.Create(part.Key, (JsonNode?)WithLists(part.Value!))).ToList();
        return parts.Count > 0 && parts.All(static part => int.TryParse(part.Key, out _))
            ? new JsonArray([.. parts.OrderBy(static part => int.Parse(part.Key, CultureInfo.InvariantCulture)).Select(static part => part.Value)])
            : new JsonObject(parts);
    }

    [GeneratedRegex("<([a-z ]+)>")]
    private static partial Regex Name();
}
