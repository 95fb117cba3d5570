using System.Net;
using System.Text.Json.Nodes;

namespace StripeMeter.StripeDouble.Http;

/// <summary>An answer as it leaves, and as it is stored under an idempotency key.</summary>
internal sealed record StripeReply(int Status, byte[] Body)
{
    public bool? ShouldRetry { get; init; }

    public string? RateLimitedReason { get; init; }

    /// <summary>The answer to an earlier request with the same idempotency key.</summary>
    public bool IsReplayed { get; init; }

    /// <summary>The work is done, and the connection breaks before the answer leaves.</summary>
    public bool IsLost { get; init; }

    public static StripeReply Ok(JsonObject body) => new((int)HttpStatusCode.OK, Serialize(body));

    public static StripeReply From(StripeRefusal refusal, bool isV2) => new((int)refusal.Status, Serialize(refusal.ToJson(isV2)))
    {
        ShouldRetry = refusal.ShouldRetry, RateLimitedReason = refusal.RateLimitedReason,
    };

    private static byte[] Serialize(JsonObject body) => System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(body, StripeJson.Options);
}
