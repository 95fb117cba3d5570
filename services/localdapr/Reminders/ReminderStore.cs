using StripeMeter.LocalDapr.Actors;
using StripeMeter.Sqlite;

namespace StripeMeter.LocalDapr.Reminders;

/// <summary>The reminders of one app in the file of the group.</summary>
internal sealed class ReminderStore(SqliteFile file, string appId)
{
    private const string Columns =
        "actor_type, actor_id, name, due_time, period, ttl, data, failure_policy, next_fire_at, fires_left, expires_at, revision";

    /// <summary>Registers a reminder; false when one of that name stands and <paramref name="overwrite"/> is not set.</summary>
    public async Task<bool> SaveAsync(Reminder reminder, bool overwrite)
    {
        var saved = false;
        await file.WriteAsync(SqliteDurability.Process, session =>
        {
            using var insert = session.Prepare(
                $"""
                INSERT INTO reminders (app_id, {Columns}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 1)
                ON CONFLICT (app_id, actor_type, actor_id, name) DO UPDATE SET due_time = excluded.due_time, period = excluded.period,
                    ttl = excluded.ttl, data = excluded.data, failure_policy = excluded.failure_policy, next_fire_at = excluded.next_fire_at,
                    fires_left = excluded.fires_left, expires_at = excluded.expires_at, revision = revision + 1
                WHERE ?13
                """);
            BindKey(insert, reminder.Actor, reminder.Name)
                .Bind(5, reminder.DueTime).Bind(6, reminder.Period).Bind(7, reminder.Ttl).Bind(8, (ReadOnlySpan<byte>)reminder.Data)
                    .Bind(9, reminder.OnFailure.ToString())
                .Bind(10, reminder.Schedule.NextFireAt.ToUnixTimeMilliseconds()).Bind(11, reminder.Schedule.FiresLeft)
                .Bind(12, reminder.Schedule.ExpiresAt?.ToUnixTimeMilliseconds()).Bind(13, overwrite ? 1 : 0).Run();
            saved = session.Changes > 0;
        }).ConfigureAwait(false);
        return saved;
    }

    /// <summary>Notes a fire: moves the reminder to its next one or removes it, unless it was registered anew or deleted
    /// meanwhile.</summary>
    public Task AdvanceAsync(Reminder reminder, Schedule next) => file.WriteAsync(SqliteDurability.Process, session =>
    {
        using var change = session.Prepare(next.HasEnded
            ? "DELETE FROM reminders WHERE app_id = ?1 AND actor_type = ?2 AND actor_id = ?3 AND name = ?4 AND revision = ?5"
            : "UPDATE reminders SET next_fire_at = ?6, fires_left = ?7 WHERE app_id = ?1 AND actor_type = ?2 AND actor_id = ?3 AND name = ?4 AND revision = ?5");
        var bound = BindKey(change, reminder.Actor, reminder.Name).Bind(5, reminder.Revision);
        if (!next.HasEnded)
            bound = bound.Bind(6, next.NextFireAt.ToUnixTimeMilliseconds()).Bind(7, next.FiresLeft);
        bound.Run();
    });

    public Task DeleteAsync(ActorKey actor, string name) => file.WriteAsync(SqliteDurability.Process, session =>
    {
        using var delete = session.Prepare("DELETE FROM reminders WHERE app_id = ?1 AND actor_type = ?2 AND actor_id = ?3 AND name = ?4");
        BindKey(delete, actor, name).Run();
    });

    public Reminder? Find(ActorKey actor, string name) => file.Read((this, actor, name), static (session, argument) =>
    {
        var (store, actor, name) = argument;
        using var select = session.Prepare($"SELECT {Columns} FROM reminders WHERE app_id = ?1 AND actor_type = ?2 AND actor_id = ?3 AND name = ?4");
        return store.BindKey(select, actor, name).Step() ? Read(select) : null;
    });

    /// <summary>The reminders that fire next, earliest first.</summary>
    public IReadOnlyList<Reminder> Next(int limit) => file.Read((appId, limit), static (session, argument) =>
    {
        using var select = session.Prepare($"SELECT {Columns} FROM reminders WHERE app_id = ?1 ORDER BY next_fire_at LIMIT ?2");
        select.Bind(1, argument.appId).Bind(2, argument.limit);
        var found = new List<Reminder>();
        while (select.Step())
            found.Add(Read(select));
        return found;
    });

    private SqliteStatement BindKey(SqliteStatement statement, ActorKey actor, string name) =>
        statement.Bind(1, appId).Bind(2, actor.Type).Bind(3, actor.Id).Bind(4, name);

    private static Reminder Read(SqliteStatement row) => new()
    {
        Actor = new ActorKey(row.Text(0), row.Text(1)),
        Name = row.Text(2),
        DueTime = row.Text(3),
        Period = row.Text(4),
        Ttl = row.Text(5),
        Data = row.Blob(6).ToArray(),
        OnFailure = FailurePolicy.Parse(row.Text(7)),
        Schedule = new Schedule(
            DateTimeOffset.FromUnixTimeMilliseconds(row.Number(8)),
            row.Text(4).Length == 0 ? null : Schedule.PeriodOf(row.Text(4)),
            (int?)row.NullableNumber(9),
            row.NullableNumber(10) is { } expires ? DateTimeOffset.FromUnixTimeMilliseconds(expires) : null),
        Revision = row.Number(11),
    };
}
