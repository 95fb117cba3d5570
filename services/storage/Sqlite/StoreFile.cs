using Microsoft.Data.Sqlite;
using SQLitePCL;
using StripeMeter.Metering.Ledger;
using StripeMeter.Sqlite;

namespace StripeMeter.Storage.Sqlite;

/// <summary>A file whose failures are those of the ports.</summary>
internal sealed class StoreFile(SqliteFileOptions options) : IAsyncDisposable
{
    // What can only be our own mistake is not hidden behind an error that says to try again.
    private static readonly int[] Mistakes =
        [raw.SQLITE_ERROR, raw.SQLITE_CONSTRAINT, raw.SQLITE_MISMATCH, raw.SQLITE_MISUSE, raw.SQLITE_RANGE];

    private readonly SqliteFile _file = new(options);

    /// <inheritdoc cref="SqliteFile.RolledBack"/>
    public event Action? RolledBack
    {
        add => _file.RolledBack += value;
        remove => _file.RolledBack -= value;
    }

    /// <exception cref="StoreUnavailableException">Nothing of it was written.</exception>
    public async Task<T> WriteAsync<T>(Func<SqliteSession, T> work, CancellationToken cancellation)
    {
        try
        {
            return await _file.WriteAsync(work, cancellation).ConfigureAwait(false);
        }
        catch (Exception problem) when (IsPassing(problem))
        {
            throw Unavailable(problem);
        }
    }

    /// <inheritdoc cref="WriteAsync{T}"/>
    public Task WriteAsync(Action<SqliteSession> work, CancellationToken cancellation) => WriteAsync(
        session =>
        {
            work(session);
            return true;
        },
        cancellation);

    /// <exception cref="StoreUnavailableException">The file cannot be read now.</exception>
    public Task<T> ReadAsync<T>(Func<SqliteSession, T> read, CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested)
            return Task.FromCanceled<T>(cancellation);
        try
        {
            return Task.FromResult(_file.Read(read));
        }
        catch (Exception problem)
        {
            return Task.FromException<T>(IsPassing(problem) ? Unavailable(problem) : problem);
        }
    }

    public ValueTask DisposeAsync() => _file.DisposeAsync();

    private static bool IsPassing(Exception problem) =>
        problem is TimeoutException or ObjectDisposedException
        || (problem is SqliteException { SqliteErrorCode: var code } && !Mistakes.Contains(code));

    private static StoreUnavailableException Unavailable(Exception problem) => new($"The store failed: {problem.Message}", problem);
}
