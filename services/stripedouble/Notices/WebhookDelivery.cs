using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using StripeMeter.StripeDouble.Accounts;
using StripeMeter.StripeDouble.Clock;
using StripeMeter.StripeDouble.Faults;
using StripeMeter.StripeDouble.Http;

namespace StripeMeter.StripeDouble.Notices;

/// <summary>
/// Delivers events, signed as Stripe signs them, until they are answered 2xx: at least once. One that is not taken does not
/// hold up those behind it, so they may come out of order.
/// </summary>
internal sealed class WebhookDelivery(WebhookSetting webhook, DoubleClock clock, StripeDoubleFaults faults, StripeDoubleOptions options) : IDisposable
{
    private const int MaximumDoublings = 12;
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);
    private readonly HttpClient _http = new() { Timeout = options.WebhookTimeout };

    /// <summary>Sends what is due of an account, once each.</summary>
    public async Task DeliverAsync(AccountData account, CancellationToken cancellation)
    {
        if (webhook.Target is not { } target)
            return;
        foreach (var notice in account.File.Read(session => NoticeTable.Due(session, NowMs, options.DeliveriesPerRound)))
        {
            var delivery = await SendAsync(target, notice, cancellation).ConfigureAwait(false);
            if (delivery.IsTaken && faults.RepeatsDelivery())
                await SendAsync(target, notice, cancellation).ConfigureAwait(false);
            var isOver = delivery.IsTaken || notice.Attempts + 1 >= options.MaximumDeliveries;
            long? next = isOver ? null : NowMs + (long)(FirstRetry * (1L << Math.Min(notice.Attempts, MaximumDoublings))).TotalMilliseconds;
            await account.File.WriteAsync(session => NoticeTable.Sent(session, notice, delivery, next), cancellation).ConfigureAwait(false);
        }
    }

    public void Dispose() => _http.Dispose();

    private long NowMs => clock.GetUtcNow().ToUnixTimeMilliseconds();

    private async Task<Delivery> SendAsync(WebhookTarget target, Notice notice, CancellationToken cancellation)
    {
        var body = notice.IsThin ? WithoutData(notice.Body) : notice.Body;
        using var request = new HttpRequestMessage(HttpMethod.Post, target.Url)
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        // Receivers compare this with the time of their machine, wherever the double's own clock stands.
        request.Headers.Add("Stripe-Signature", Sign(body, target.Secret, clock.Machine.GetUtcNow().ToUnixTimeSeconds()));
        try
        {
            using var response = await _http.SendAsync(request, cancellation).ConfigureAwait(false);
            return new Delivery(NowMs, (int)response.StatusCode);
        }
        catch (Exception failure) when (failure is HttpRequestException || (failure is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return new Delivery(NowMs, null);
        }
    }

    private static string Sign(string body, string secret, long seconds)
    {
        var signed = HMACSHA256.HashData(
            Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{seconds}.{body}")));
        return string.Create(CultureInfo.InvariantCulture, $"t={seconds},v1={Convert.ToHexStringLower(signed)}");
    }

    private static string WithoutData(string body)
    {
        var thin = JsonNode.Parse(body)!.AsObject();
        thin.Remove("data");
        return thin.ToJsonString(StripeJson.Options);
    }
}
