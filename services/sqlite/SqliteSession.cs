using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace StripeMeter.Sqlite;

/// <summary>
/// One connection with its prepared statements, used by one thread at a time. It speaks SQLite's own API, because at tens
/// of thousands of rows a second ADO.NET's parameters cost more than the rows.
/// </summary>
public sealed class SqliteSession : IDisposable
{
    /// <summary>Distinct statements kept prepared; beyond that the cache starts anew.</summary>
    public const int MaximumStatements = 500;

    // SQLITE_STMTSTATUS_VM_STEP
    private const int StatementSteps = 4;

    private readonly SqliteConnection _connection;
    private readonly Dictionary<string, sqlite3_stmt> _statements = new(StringComparer.Ordinal);

    public SqliteSession(string path, string pragmas)
    {
        _connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        try
        {
            _connection.Open();
            Execute(pragmas);
        }
        catch
        {
            _connection.Dispose();
            throw;
        }
    }

    /// <summary>Rows changed by the last statement.</summary>
    public int Changes => raw.sqlite3_changes(Database);

    public long LastRowId => raw.sqlite3_last_insert_rowid(Database);

    /// <summary>Steps of SQLite's machine that its statements took, until it forgot them: what queries cost, whatever the machine.</summary>
    public long Steps => _statements.Values.Sum(static statement => (long)raw.sqlite3_stmt_status(statement, StatementSteps, 0));

    public bool IsInTransaction => raw.sqlite3_get_autocommit(Database) == 0;

    private sqlite3 Database => _connection.Handle!;

    /// <summary>Runs statements that return nothing and take no parameters.</summary>
    public void Execute(string sql) => Check(raw.sqlite3_exec(Database, sql));

    /// <summary>The prepared statement for <paramref name="sql"/>, reset when the returned value is disposed.</summary>
    public SqliteStatement Prepare(string sql)
    {
        if (!_statements.TryGetValue(sql, out var statement))
        {
            if (_statements.Count == MaximumStatements)
                Forget();
            Check(raw.sqlite3_prepare_v3(Database, sql, raw.SQLITE_PREPARE_PERSISTENT, out statement));
            _statements.Add(sql, statement);
        }

        return new SqliteStatement(this, statement);
    }

    public void Dispose()
    {
        Forget();
        _connection.Dispose();
    }

    internal void Check(int code)
    {
        if (code is not (raw.SQLITE_OK or raw.SQLITE_ROW or raw.SQLITE_DONE))
            SqliteException.ThrowExceptionForRC(code, Database);
    }

    private void Forget()
    {
        foreach (var statement in _statements.Values)
            statement.Dispose();
        _statements.Clear();
    }
}
