namespace StripeMeter.LocalDapr.Storage;

/// <summary>The tables of the file. Instants are Unix milliseconds.</summary>
internal static class Schema
{
    public const string Sql =
        """
        CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value BLOB NOT NULL, expires_at INTEGER);
        CREATE INDEX IF NOT EXISTS state_expiring ON state (expires_at) WHERE expires_at IS NOT NULL;

        CREATE TABLE IF NOT EXISTS reminders (
            app_id TEXT NOT NULL, actor_type TEXT NOT NULL, actor_id TEXT NOT NULL, name TEXT NOT NULL,
            due_time TEXT NOT NULL, period TEXT NOT NULL, ttl TEXT NOT NULL, data BLOB NOT NULL, failure_policy TEXT,
            next_fire_at INTEGER NOT NULL, fires_left INTEGER, expires_at INTEGER, revision INTEGER NOT NULL,
            PRIMARY KEY (app_id, actor_type, actor_id, name));
        CREATE INDEX IF NOT EXISTS reminders_next ON reminders (app_id, next_fire_at);

        CREATE TABLE IF NOT EXISTS topic_groups (
            id INTEGER PRIMARY KEY, pubsub TEXT NOT NULL, topic TEXT NOT NULL, app_id TEXT NOT NULL, depth INTEGER NOT NULL DEFAULT 0,
            UNIQUE (pubsub, topic, app_id));
        CREATE TABLE IF NOT EXISTS messages (
            id INTEGER PRIMARY KEY AUTOINCREMENT, group_id INTEGER NOT NULL, payload BLOB NOT NULL, kind INTEGER NOT NULL);
        CREATE INDEX IF NOT EXISTS messages_of_group ON messages (group_id, id);

        CREATE TABLE IF NOT EXISTS sidecars (
            instance TEXT PRIMARY KEY, app_id TEXT NOT NULL, app_port INTEGER NOT NULL, address TEXT NOT NULL, token TEXT NOT NULL,
            started_at INTEGER NOT NULL, seen_at INTEGER NOT NULL, actor_types TEXT NOT NULL, memory_topics TEXT NOT NULL);
        """;
}
