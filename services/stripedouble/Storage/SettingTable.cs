using StripeMeter.Sqlite;

namespace StripeMeter.StripeDouble.Storage;

/// <summary>What was set by the controls and outlives the process.</summary>
internal static class SettingTable
{
    public const string ClockAheadTicks = "clock_ahead_ticks";

    public const string WebhookUrl = "webhook_url";

    public const string WebhookSecret = "webhook_secret";

    public static string? Find(SqliteSession session, string name)
    {
        using var query = session.Prepare("SELECT value FROM settings WHERE name = ?1");
        query.Bind(1, name);
        return query.Step() ? query.Text(0) : null;
    }

    public static void Set(SqliteSession session, string name, string value)
    {
        using var insert = session.Prepare("INSERT OR REPLACE INTO settings (name, value) VALUES (?1, ?2)");
        insert.Bind(1, name).Bind(2, value).Run();
    }
}
