namespace StripeMeter.StripeDouble.Storage;

internal static class Schema
{
    /// <summary>
    /// Quantities are exact decimal text and no column can hold a float. The index of counted events carries all that a
    /// summary needs, so that it is answered from the index alone.
    /// </summary>
    public const string Sql =
        """
        CREATE TABLE IF NOT EXISTS account (id TEXT NOT NULL, created INTEGER NOT NULL) STRICT;

        CREATE TABLE IF NOT EXISTS objects (
          number INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL) STRICT;
        CREATE INDEX IF NOT EXISTS objects_by_kind ON objects (kind, number);

        CREATE TABLE IF NOT EXISTS meters (
          number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, event_name TEXT NOT NULL UNIQUE, display_name TEXT NOT NULL,
          formula TEXT NOT NULL, customer_key TEXT NOT NULL, value_key TEXT NOT NULL, event_time_window TEXT,
          created INTEGER NOT NULL, updated INTEGER NOT NULL, deactivated INTEGER) STRICT;

        CREATE TABLE IF NOT EXISTS meter_events (
          number INTEGER PRIMARY KEY, meter INTEGER NOT NULL, customer TEXT NOT NULL, identifier TEXT NOT NULL,
          timestamp_s INTEGER NOT NULL, received_ms INTEGER NOT NULL, value TEXT NOT NULL, excluded TEXT) STRICT;
        CREATE INDEX IF NOT EXISTS meter_events_by_identifier ON meter_events (identifier);
        CREATE INDEX IF NOT EXISTS meter_events_counted
          ON meter_events (meter, customer, timestamp_s, received_ms, value) WHERE excluded IS NULL;

        CREATE TABLE IF NOT EXISTS replies (
          number INTEGER PRIMARY KEY, idempotency_key TEXT NOT NULL UNIQUE, fingerprint BLOB NOT NULL,
          status INTEGER NOT NULL, should_retry INTEGER, body BLOB NOT NULL, stored_ms INTEGER NOT NULL) STRICT;

        CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

        CREATE TABLE IF NOT EXISTS rejected_events (
          number INTEGER PRIMARY KEY, meter INTEGER, identifier TEXT NOT NULL, code TEXT NOT NULL, received_ms INTEGER NOT NULL,
          is_reported INTEGER NOT NULL DEFAULT 0) STRICT;
        CREATE INDEX IF NOT EXISTS rejected_events_unreported ON rejected_events (received_ms) WHERE is_reported = 0;

        CREATE TABLE IF NOT EXISTS stream_sessions (
          number INTEGER PRIMARY KEY, id TEXT NOT NULL, token TEXT NOT NULL UNIQUE, created_ms INTEGER NOT NULL,
          expires_ms INTEGER NOT NULL, events INTEGER NOT NULL DEFAULT 0) STRICT;

        CREATE TABLE IF NOT EXISTS notices (
          number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, is_thin INTEGER NOT NULL, body TEXT NOT NULL,
          attempts INTEGER NOT NULL, next_ms INTEGER) STRICT;
        CREATE INDEX IF NOT EXISTS notices_due ON notices (next_ms, number) WHERE next_ms IS NOT NULL;
        CREATE INDEX IF NOT EXISTS notices_by_type ON notices (type, number);

        CREATE TABLE IF NOT EXISTS deliveries (
          number INTEGER PRIMARY KEY, notice INTEGER NOT NULL, sent_ms INTEGER NOT NULL, status INTEGER) STRICT;
        CREATE INDEX IF NOT EXISTS deliveries_by_notice ON deliveries (notice, number);

        CREATE TABLE IF NOT EXISTS usage_records (
          item TEXT NOT NULL, timestamp_s INTEGER NOT NULL, quantity INTEGER NOT NULL, PRIMARY KEY (item, timestamp_s)) STRICT;
        """;
}
