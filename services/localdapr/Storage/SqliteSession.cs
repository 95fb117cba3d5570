using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace StripeMeter.LocalDapr.Storage;

/// <summary>
/// One connection with its prepared statements, used by one thread at a time. It speaks to SQLite's own API because a turn of an
/// actor reads and writes values of a hundred kilobytes, which ADO.NET parameters would copy twice.
/// </summary>
internal sealed class SqliteSession : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly Dictionary<string, sqlite3_stmt> _statements = new(StringComparer.Ordinal);

    public SqliteSession(string path, string pragmas)
    {
        _connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        _connection.Open();
        Execute(pragmas);
    }

    private sqlite3 Database => _connection.Handle!;

    /// <summary>Runs statements that return nothing and take no parameters.</summary>
    public void Execute(string sql) => Check(raw.sqlite3_exec(Database, sql));

    /// <summary>The prepared statement for <paramref name="sql"/>, reset when the returned value is disposed.</summary>
    public SqliteStatement Prepare(string sql)
    {
        if (!_statements.TryGetValue(sql, out var statement))
        {
            Check(raw.sqlite3_prepare_v3(Database, sql, raw.SQLITE_PREPARE_PERSISTENT, out statement));
            _statements.Add(sql, statement);
        }

        return new SqliteStatement(this, statement);
    }

    public int Changes => raw.sqlite3_changes(Database);

    public long LastRowId => raw.sqlite3_last_insert_rowid(Database);

    internal void Check(int code)
    {
        if (code is not (raw.SQLITE_OK or raw.SQLITE_ROW or raw.SQLITE_DONE))
            SqliteException.ThrowExceptionForRC(code, Database);
    }

    public void Dispose()
    {
        foreach (var statement in _statements.Values)
            statement.Dispose();
        _connection.Dispose();
    }
}
