using System.Net;
using System.Security.Cryptography;
using System.Text;
using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Http;

namespace StripeMeter.StripeDouble.Idempotency;

/// <summary>
/// Answers by idempotency key. Written in the transaction of the work itself, so that an answer is stored exactly when the
/// work is done; it is kept whatever its status, as Stripe does.
/// </summary>
internal sealed class ReplyStore(TimeSpan window)
{
    /// <summary>Old replies dropped with each new one; more than one, so that they cannot pile up.</summary>
    private const int DroppedPerStore = 4;

    /// <summary>What two requests with the same key must have in common.</summary>
    public static byte[] Fingerprint(StripeCall call)
    {
        var text = new StringBuilder().Append(call.Method).Append('\n').Append(call.Path);
        foreach (var (name, value) in call.Pairs.OrderBy(static pair => pair.Key, StringComparer.Ordinal))
            text.Append('\n').Append(name.Length).Append(':').Append(name).Append('=').Append(value);
        return SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString()));
    }

    /// <summary>The answer to an earlier request with this key; null when there was none within the window.</summary>
    /// <exception cref="StripeRefusal">The earlier request had other parameters.</exception>
    public StripeReply? Find(SqliteSession session, string key, StripeCall call)
    {
        using var query = session.Prepare(
            "SELECT status, should_retry, body, fingerprint FROM replies WHERE idempotency_key = ?1 AND stored_ms > ?2");
        query.Bind(1, key).Bind(2, Oldest(call.NowMs));
        if (!query.Step())
            return null;
        if (!query.Blob(3).SequenceEqual(Fingerprint(call)))
        {
            throw new StripeRefusal(
                HttpStatusCode.BadRequest, $"The idempotency key '{key}' was used before with other parameters or another path.")
            {
                Type = "idempotency_error",
            };
        }

        return new StripeReply(query.SmallNumber(0), query.Blob(2).ToArray())
        {
            ShouldRetry = query.IsNull(1) ? null : query.Flag(1), IsReplayed = true,
        };
    }

    public void Store(SqliteSession session, string key, StripeCall call, StripeReply reply)
    {
        DropOld(session, call.NowMs);
        using var insert = session.Prepare(
            """
            INSERT OR REPLACE INTO replies (idempotency_key, fingerprint, status, should_retry, body, stored_ms)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            """);
        insert.Bind(1, key).Bind(2, Fingerprint(call)).Bind(3, reply.Status).Bind(5, reply.Body).Bind(6, call.NowMs);
        if (reply.ShouldRetry is { } shouldRetry)
            insert.Bind(4, shouldRetry);
        insert.Run();
    }

    private void DropOld(SqliteSession session, long nowMs)
    {
        // Numbers grow with time, so the oldest few are enough to look at.
        using var delete = session.Prepare(
            $"""
            DELETE FROM replies WHERE stored_ms <= ?1
              AND number IN (SELECT number FROM replies ORDER BY number LIMIT {DroppedPerStore})
            """);
        delete.Bind(1, Oldest(nowMs)).Run();
    }

    private long Oldest(long nowMs) => nowMs - (long)window.TotalMilliseconds;
}
