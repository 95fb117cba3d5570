using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Stripe;
using StripeMeter.StripeDouble.Tests.Kit;

namespace StripeMeter.StripeDouble.Tests.Contract;

/// <summary>Every event that the double delivers, held against the table, and its signature.</summary>
public sealed partial class EventContractTests
{
    private static readonly ContractTable Table = new();

    [Fact]
    public async Task EveryEvent_Delivered_KeepsTheTable_AndSoDoesWhatIsFetched()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var stripe = await StartAsync(receiver);
        await BringAboutAllAsync(stripe);

        var delivered = receiver.Deliveries.Select(static one => JsonNode.Parse(one.Body)!.AsObject()).ToList();
        Assert.Equal(Table.EventTypes.Order(StringComparer.Ordinal), delivered.Select(static one => (string)one["type"]!).Distinct().Order(StringComparer.Ordinal));
        foreach (var one in delivered)
        {
            var isThin = Table.IsThin((string)one["type"]!);
            var fetched = (await stripe.SendRawAsync(HttpMethod.Get, $"{(isThin ? "/v2/core/events" : "/v1/events")}/{one["id"]}")).Json;
            Assert.Empty(Table.EventFaults(one, "delivered"));
            Assert.Empty(Table.EventFaults(fetched, isThin ? "fetched" : "delivered"));
        }
    }

    [Fact]
    public async Task EveryEvent_Delivered_IsSignedBySecretTimeAndBody()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var stripe = await StartAsync(receiver);
        await BringAboutAllAsync(stripe);
        Assert.NotEmpty(receiver.Deliveries);
        foreach (var (body, signature) in receiver.Deliveries)
        {
            var parts = Signature().Match(signature);
            Assert.True(parts.Success, signature);
            Assert.Equal(stripe.Time.GetUtcNow().ToUnixTimeSeconds(), long.Parse(parts.Groups["time"].Value, CultureInfo.InvariantCulture));
            var expected = HMACSHA256.HashData(Encoding.UTF8.GetBytes(WebhookReceiver.Secret), Encoding.UTF8.GetBytes($"{parts.Groups["time"].Value}.{body}"));
            Assert.Equal(Convert.ToHexStringLower(expected), parts.Groups["digest"].Value);
        }
    }

    private static Task<TestDouble> StartAsync(WebhookReceiver receiver) =>
        TestDouble.StartAsync(options => options with { WebhookUrl = receiver.Url, WebhookSecret = WebhookReceiver.Secret });

    /// <summary>All that the double tells anybody of.</summary>
    private static async Task BringAboutAllAsync(TestDouble stripe)
    {
        var v1 = stripe.Client.V1;
        await stripe.CreateMeterAsync();
        var price = await v1.Prices.CreateAsync(new PriceCreateOptions
        {
            Currency = "usd", UnitAmount = 5, ProductData = new PriceProductDataOptions { Name = "P" }, Recurring = new PriceRecurringOptions { Interval = "month" },
        });
        await v1.Prices.UpdateAsync(price.Id, new PriceUpdateOptions { Nickname = "changed" });
        var subscription = await v1.Subscriptions.CreateAsync(new SubscriptionCreateOptions { Customer = "cus_1", Items = [new() { Price = price.Id }] });
        await v1.Subscriptions.UpdateAsync(subscription.Id, new SubscriptionUpdateOptions { Description = "changed" });
        stripe.Faults.RejectLater(1);
        await stripe.SendAsync("1");
        stripe.Faults.RejectLater(1, "no_meter");
        await stripe.SendAsync("1");
        await stripe.Host.AdvanceAsync(subscription.Items.Data[0].CurrentPeriodEnd - stripe.Now);
        await stripe.Host.AdvanceAsync(TimeSpan.FromHours(1));
        await v1.Subscriptions.CancelAsync(subscription.Id);
        await stripe.Host.SettleAsync();
    }

    [GeneratedRegex("^t=(?<time>[0-9]+),v1=(?<digest>[0-9a-f]{64})$")]
    private static partial Regex Signature();
}
