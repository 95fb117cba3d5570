using StripeMeter.StripeDouble.Http;

namespace StripeMeter.StripeDouble.Control;

/// <summary>A request as it came, and how it was answered.</summary>
/// <param name="Number">Its place in the order of answering, from 1.</param>
/// <param name="RequestId">The <c>Request-Id</c> of the answer.</param>
/// <param name="Answered">When it was answered.</param>
/// <param name="Account">The account it names, as connected ones are; null when it names none.</param>
/// <param name="Method">The HTTP method.</param>
/// <param name="Path">The path, without the query string.</param>
/// <param name="Parameters">Names and values, decoded, in the order in which they were sent.</param>
/// <param name="IdempotencyKey">The key; null without one.</param>
/// <param name="ApiVersion">The <c>Stripe-Version</c>; null without one.</param>
/// <param name="Status">The status of the answer, also of one that was lost.</param>
/// <param name="IsReplayed">Answered from what was stored under the idempotency key.</param>
/// <param name="IsLost">The answer never left.</param>
public sealed record ReceivedRequest(
    long Number, string RequestId, DateTimeOffset Answered, string? Account, string Method, string Path,
    IReadOnlyList<KeyValuePair<string, string>> Parameters, string? IdempotencyKey, string? ApiVersion, int Status, bool IsReplayed,
    bool IsLost);

/// <summary>The newest requests, as many as the options say. Safe for concurrent use.</summary>
internal sealed class RequestLog(int capacity)
{
    private readonly Lock _lock = new();
    private readonly Queue<ReceivedRequest> _requests = new(capacity);
    private long _total;

    /// <summary>Requests answered since the start, the forgotten ones too.</summary>
    public long Total
    {
        get
        {
            lock (_lock)
                return _total;
        }
    }

    public void Add(
        HttpRequest request, string requestId, IReadOnlyList<KeyValuePair<string, string>> parameters, StripeReply reply, DateTimeOffset now)
    {
        var (key, version, account) = (Header("Idempotency-Key"), Header("Stripe-Version"), Header("Stripe-Account"));
        lock (_lock)
        {
            if (_requests.Count == capacity)
                _requests.Dequeue();
            _requests.Enqueue(new(
                ++_total, requestId, now, account, request.Method, request.Path.Value ?? "/", parameters, key, version, reply.Status,
                reply.IsReplayed, reply.IsLost));
        }

        string? Header(string name) => request.Headers[name].ToString() is { Length: > 0 } value ? value : null;
    }

    /// <summary>Those remembered, oldest first.</summary>
    public IReadOnlyList<ReceivedRequest> Read()
    {
        lock (_lock)
            return [.. _requests];
    }
}
