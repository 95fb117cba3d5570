using System.Buffers;
using StripeMeter.Sqlite;

namespace StripeMeter.LocalDapr.Storage;

/// <summary>One change of a state transaction. A null value deletes.</summary>
internal readonly record struct StateChange(string Key, ReadOnlyMemory<byte>? Value, long? TtlSeconds);

/// <summary>
/// Actor state: JSON values by key, each optionally with an end. Saved with <see cref="SqliteDurability.Process"/>: the ledger is the
/// truth and actor state a copy that may fall back, so a power cut may cost the last saves and never a mixture of them.
/// </summary>
internal sealed class StateStore(SqliteFile file, TimeProvider time)
{
    /// <summary>Copies the value into <paramref name="destination"/>; false when there is none or it has ended.</summary>
    public bool TryRead(string key, IBufferWriter<byte> destination, out DateTimeOffset? expiresAt)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var (found, expires) = file.Read((key, destination, now), static (session, argument) =>
        {
            using var statement = session.Prepare("SELECT value, expires_at FROM state WHERE key = ?1 AND (expires_at IS NULL OR expires_at > ?2)");
            if (!statement.Bind(1, argument.key).Bind(2, argument.now).Step())
                return (false, null);
            argument.destination.Write(statement.Blob(0));
            return (true, statement.NullableNumber(1));
        });
        expiresAt = expires is { } milliseconds ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds) : null;
        return found;
    }

    /// <summary>Applies all changes or none.</summary>
    public Task SaveAsync(string keyPrefix, IReadOnlyList<StateChange> changes)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        return file.WriteAsync(SqliteDurability.Process, session =>
        {
            foreach (var change in changes)
                Apply(session, keyPrefix + change.Key, change, now);
        });
    }

    private static void Apply(SqliteSession session, string key, StateChange change, long now)
    {
        if (change.Value is not { } value)
        {
            using var delete = session.Prepare("DELETE FROM state WHERE key = ?1");
            delete.Bind(1, key).Run();
            return;
        }

        using var upsert = session.Prepare(
            """
            INSERT INTO state (key, value, expires_at) VALUES (?1, ?2, ?3)
            ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at
            """);
        upsert.Bind(1, key).Bind(2, value.Span).Bind(3, change.TtlSeconds is { } ttl ? now + (ttl * 1000) : null).Run();
    }

    /// <summary>Removes what has ended; reading never shows it anyway.</summary>
    public Task PurgeAsync()
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        return file.WriteAsync(SqliteDurability.Process, session =>
        {
            using var delete = session.Prepare("DELETE FROM state WHERE expires_at IS NOT NULL AND expires_at <= ?1");
            delete.Bind(1, now).Run();
        });
    }
}
