using System.Text;
using SQLitePCL;

namespace StripeMeter.Sqlite;

/// <summary>A prepared statement in use. Parameters count from 1 and columns from 0, as in SQLite. Dispose it to use it again.</summary>
public readonly struct SqliteStatement(SqliteSession session, sqlite3_stmt statement) : IDisposable, IEquatable<SqliteStatement>
{
    public SqliteStatement Bind(int parameter, string? value)
    {
        session.Check(value is null
            ? raw.sqlite3_bind_null(statement, parameter)
            : raw.sqlite3_bind_text(statement, parameter, value));
        return this;
    }

    public SqliteStatement Bind(int parameter, long value)
    {
        session.Check(raw.sqlite3_bind_int64(statement, parameter, value));
        return this;
    }

    public SqliteStatement Bind(int parameter, long? value) => value is { } number ? Bind(parameter, number) : BindNull(parameter);

    public SqliteStatement Bind(int parameter, bool value) => Bind(parameter, value ? 1L : 0L);

    public SqliteStatement BindNull(int parameter)
    {
        session.Check(raw.sqlite3_bind_null(statement, parameter));
        return this;
    }

    public SqliteStatement Bind(int parameter, ReadOnlySpan<byte> value)
    {
        session.Check(raw.sqlite3_bind_blob(statement, parameter, value));
        return this;
    }

    /// <summary>True when there is a row to read.</summary>
    public bool Step()
    {
        var code = raw.sqlite3_step(statement);
        session.Check(code);
        return code == raw.SQLITE_ROW;
    }

    /// <summary>Runs a statement that returns no rows.</summary>
    public void Run()
    {
        while (Step())
        {
            // A statement that changes rows has none to read.
        }
    }

    public long Number(int column) => raw.sqlite3_column_int64(statement, column);

    public int SmallNumber(int column) => checked((int)Number(column));

    public long? NullableNumber(int column) => IsNull(column) ? null : Number(column);

    public bool Flag(int column) => Number(column) != 0;

    public string Text(int column) => Encoding.UTF8.GetString(raw.sqlite3_column_blob(statement, column));

    public string? NullableText(int column) => IsNull(column) ? null : Text(column);

    /// <summary>The bytes of a column; valid until the next step.</summary>
    public ReadOnlySpan<byte> Blob(int column) => raw.sqlite3_column_blob(statement, column);

    public bool IsNull(int column) => raw.sqlite3_column_type(statement, column) == raw.SQLITE_NULL;

    public void Dispose()
    {
        // The code of a reset repeats the error of the step before it, which was thrown there.
        _ = raw.sqlite3_reset(statement);
        _ = raw.sqlite3_clear_bindings(statement);
    }

    public bool Equals(SqliteStatement other) => ReferenceEquals(Handle, other.Handle);

    public override bool Equals(object? obj) => obj is SqliteStatement other && Equals(other);

    public override int GetHashCode() => Handle.GetHashCode();

    public static bool operator ==(SqliteStatement left, SqliteStatement right) => left.Equals(right);

    public static bool operator !=(SqliteStatement left, SqliteStatement right) => !left.Equals(right);

    private sqlite3_stmt Handle => statement;
}
