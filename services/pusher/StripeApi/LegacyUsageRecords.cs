using System.Globalization;
using System.Text.Json;
using Stripe;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Pusher.StripeApi;

/// <summary>
/// Tells subscription items from before there were meters, by usage records that are set and so may be set again. The API
/// has them only in versions before 2025-03-31, so one of those is asked for, and the client has no classes for them.
/// See https://docs.stripe.com/billing/subscriptions/usage-based-legacy/migration-guide.
/// </summary>
internal static class LegacyUsageRecords
{
    public const string ItemPrefix = "si_";
    private const string PinnedVersion = "2024-06-20";
    private const int PageSummaries = 10;

    /// <summary>
    /// Whether a document tells a legacy item, which then stands in the place of the customer, and its price in that of the
    /// meter. Prices that were made as plans have ids of any form.
    /// </summary>
    public static bool AreFor(DeltaKey key) =>
        key.StripeCustomer.StartsWith(ItemPrefix, StringComparison.Ordinal) && !key.MeterId.StartsWith("mtr_", StringComparison.Ordinal);

    /// <summary>Sets the period's total. A failure is thrown as the client throws it.</summary>
    public static async Task<AttemptOutcome> SetAsync(StripeCalls calls, DeltaKey key, PushIntent intent, CancellationToken cancellation)
    {
        var content = string.Create(
            CultureInfo.InvariantCulture, $"quantity={intent.Sent}&timestamp={intent.Minute.ToUnixSeconds()}&action=set");
        var response = await calls.Client.RawRequestAsync(
            HttpMethod.Post, PathOf(key, "usage_records"), content, OptionsOf(calls, key, intent.IdempotencyKey), cancellation).ConfigureAwait(false);
        using var record = JsonDocument.Parse(response.Content);
        return record.RootElement.TryGetProperty("object", out var kind) && kind.GetString() == "usage_record"
            ? new AttemptOutcome(AttemptResult.Accepted)
            : new AttemptOutcome(AttemptResult.Unknown, "Stripe answered 200 with something else than a usage record.");
    }

    /// <summary>What the item has in the period that holds an instant; zero if it has none.</summary>
    public static async Task<Quantity> TotalAsync(StripeCalls calls, DeltaKey key, Instant at, CancellationToken cancellation)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"{PathOf(key, "usage_record_summaries")}?limit={PageSummaries}");
        var response = await calls.Client.RawRequestAsync(HttpMethod.Get, path, null, OptionsOf(calls, key, null), cancellation).ConfigureAwait(false);
        using var list = JsonDocument.Parse(response.Content);
        foreach (var summary in list.RootElement.GetProperty("data").EnumerateArray())
        {
            var period = summary.GetProperty("period");
            if (Second(period, "start", long.MinValue) <= at.ToUnixSeconds() && at.ToUnixSeconds() < Second(period, "end", long.MaxValue))
                return Quantity.Parse(summary.GetProperty("total_usage").GetRawText());
        }

        return Quantity.Zero;
    }

    private static long Second(JsonElement period, string name, long open) =>
        period.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetInt64() : open;

    private static string PathOf(DeltaKey key, string what) => $"/v1/subscription_items/{Uri.EscapeDataString(key.StripeCustomer)}/{what}";

    private static RawRequestOptions OptionsOf(StripeCalls calls, DeltaKey key, string? idempotencyKey) => new()
    {
        IdempotencyKey = idempotencyKey, StripeAccount = calls.RequestFor(key.Account).StripeAccount,
        AdditionalHeaders = { ["Stripe-Version"] = PinnedVersion },
    };
}
