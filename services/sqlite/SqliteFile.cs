using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Data.Sqlite;

namespace StripeMeter.Sqlite;

/// <summary>What a finished write has survived.</summary>
public enum SqliteDurability
{
    /// <summary>The end of the process. After a loss of power the file may fall back to an earlier state, whole.</summary>
    Process,

    /// <summary>The loss of power.</summary>
    Power,
}

/// <summary>How a file is used.</summary>
public sealed record SqliteFileOptions
{
    /// <summary>Memory for pages of the connection that writes, unless told otherwise.</summary>
    public const int DefaultCacheKibibytes = 32_768;

    public required string Path { get; init; }

    public required SqliteDurability Durability { get; init; }

    /// <summary>Creates what is missing. Runs under the file's write lock, so processes that start together do not clash.</summary>
    public required string Schema { get; init; }

    /// <summary>Version of the schema. A file with a greater one is refused.</summary>
    public int SchemaVersion { get; init; } = 1;

    /// <summary>Writes that wait at most; who comes later waits for a place.</summary>
    public int WaitingWrites { get; init; } = 4_096;

    /// <summary>How long a write waits for a place.</summary>
    public TimeSpan PlaceTimeout { get; init; } = TimeSpan.FromSeconds(5);

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Writes in one transaction at most.</summary>
    public int WritesPerCommit { get; init; } = 256;

    /// <summary>Idle read connections that are kept.</summary>
    public int IdleReaders { get; init; } = 8;

    /// <summary>Memory for pages of the connection that writes, in KiB.</summary>
    public int CacheKibibytes { get; init; } = DefaultCacheKibibytes;

    /// <summary>Memory for pages of each connection that reads, in KiB. What it holds is stale after the next commit.</summary>
    public int ReaderCacheKibibytes { get; init; } = 2_048;

    /// <summary>How long to wait for another process that writes, in milliseconds.</summary>
    public int BusyTimeoutMs { get; init; } = 10_000;
}

/// <summary>
/// A database file with one writer, which commits together what came in together, and readers that never wait for it
/// (WAL). Several processes may open the same file.
/// </summary>
public sealed class SqliteFile : IAsyncDisposable
{
    private readonly SqliteFileOptions _options;
    private readonly SqliteSession _session;
    private SqliteSession? _powerSession;
    private readonly ConcurrentBag<SqliteSession> _readers = [];
    private readonly Channel<PendingWrite> _writes;
    private readonly Task _writer;

    /// <exception cref="SqliteException">The file cannot be opened.</exception>
    /// <exception cref="InvalidDataException">The file was made by a newer version.</exception>
    public SqliteFile(SqliteFileOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(options.Path))!);
        _writes = Channel.CreateBounded<PendingWrite>(new BoundedChannelOptions(options.WaitingWrites) { SingleReader = true });
        _session = new SqliteSession(options.Path, $"PRAGMA page_size=4096; {Pragmas(options, options.Durability, options.CacheKibibytes)}");
        try
        {
            Prepare();
        }
        catch
        {
            _session.Dispose();
            throw;
        }

        _writer = Task.Run(RunWriterAsync);
    }

    /// <summary>Called after a transaction was rolled back: what was remembered from within it is not so. On the writer's thread.</summary>
    public event Action? RolledBack;

    /// <summary>Runs <paramref name="work"/> inside a transaction, shared with what came in together; done when it is committed.</summary>
    /// <exception cref="SqliteException">Nothing of it was written.</exception>
    /// <exception cref="TimeoutException">Too many writes wait; this one was not begun.</exception>
    /// <exception cref="ObjectDisposedException">The file is closed; the write was not begun.</exception>
    public Task<T> WriteAsync<T>(Func<SqliteSession, T> work, CancellationToken cancellation = default) =>
        WriteAsync(_options.Durability, work, cancellation);

    /// <summary>The same with a durability of its own; what shares the transaction survives as much.</summary>
    public async Task<T> WriteAsync<T>(
        SqliteDurability durability, Func<SqliteSession, T> work, CancellationToken cancellation = default)
    {
        var pending = new PendingWrite<T>(durability, work);
        if (!_writes.Writer.TryWrite(pending))
            await WaitForPlaceAsync(pending, cancellation).ConfigureAwait(false);
        return await pending.Done.Task.ConfigureAwait(false);
    }

    /// <inheritdoc cref="WriteAsync{T}(Func{SqliteSession, T}, CancellationToken)"/>
    public Task WriteAsync(Action<SqliteSession> work, CancellationToken cancellation = default) =>
        WriteAsync(_options.Durability, work, cancellation);

    /// <inheritdoc cref="WriteAsync{T}(SqliteDurability, Func{SqliteSession, T}, CancellationToken)"/>
    public Task WriteAsync(
        SqliteDurability durability, Action<SqliteSession> work, CancellationToken cancellation = default) => WriteAsync(
        durability,
        session =>
        {
            work(session);
            return true;
        },
        cancellation);

    /// <summary>Runs <paramref name="read"/> on one consistent state, the newest committed.</summary>
    public T Read<T>(Func<SqliteSession, T> read) => Read(read, static (session, work) => work(session));

    /// <summary>The same with an argument, so that <paramref name="read"/> need not capture it.</summary>
    public T Read<TArgument, T>(TArgument argument, Func<SqliteSession, TArgument, T> read)
    {
        ArgumentNullException.ThrowIfNull(read);
        if (!_readers.TryTake(out var session))
            session = new SqliteSession(_options.Path, Pragmas(_options, _options.Durability, _options.ReaderCacheKibibytes) + "PRAGMA query_only=ON;");
        try
        {
            session.Execute("BEGIN");
            try
            {
                return read(session, argument);
            }
            finally
            {
                session.Execute("COMMIT");
            }
        }
        finally
        {
            if (_readers.Count < _options.IdleReaders)
                _readers.Add(session);
            else
                session.Dispose();
        }
    }

    /// <summary>Commits what waits and closes the file.</summary>
    public async ValueTask DisposeAsync()
    {
        _writes.Writer.TryComplete();
        await _writer.ConfigureAwait(false);
        while (_readers.TryTake(out var session))
            session.Dispose();
        _powerSession?.Dispose();
        _session.Dispose();
    }

    private static string Pragmas(SqliteFileOptions options, SqliteDurability durability, int cacheKibibytes) =>
        $"""
        PRAGMA busy_timeout={options.BusyTimeoutMs}; PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=16000;
        PRAGMA temp_store=MEMORY; PRAGMA cache_size=-{cacheKibibytes};
        PRAGMA synchronous={(durability == SqliteDurability.Power ? "FULL" : "NORMAL")};
        """;

    private void Prepare()
    {
        _session.Execute("BEGIN IMMEDIATE");
        using (var version = _session.Prepare("PRAGMA user_version"))
        {
            version.Step();
            if (version.Number(0) > _options.SchemaVersion)
                throw new InvalidDataException($"{_options.Path} was made by a newer version of StripeMeter.");
        }

        _session.Execute(_options.Schema);
        _session.Execute($"PRAGMA user_version={_options.SchemaVersion}; COMMIT");
    }

    private async Task WaitForPlaceAsync(PendingWrite pending, CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(_options.PlaceTimeout, _options.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            await _writes.Writer.WriteAsync(pending, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"{_options.WaitingWrites} writes to {_options.Path} wait already.");
        }
        catch (ChannelClosedException)
        {
            throw new ObjectDisposedException(_options.Path);
        }
    }

    private async Task RunWriterAsync()
    {
        var batch = new List<PendingWrite>(_options.WritesPerCommit);
        while (await _writes.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            while (batch.Count < _options.WritesPerCommit && _writes.Reader.TryRead(out var write))
                batch.Add(write);
            CommitTogether(batch);
            batch.Clear();
        }
    }

    private void CommitTogether(List<PendingWrite> batch)
    {
        try
        {
            Commit(batch);
        }
        catch (Exception failure) when (batch.Count == 1)
        {
            batch[0].Fail(failure);
        }
        catch (Exception)
        {
            // One of them is to blame: each alone, so that only that one fails.
            foreach (var write in batch)
                CommitTogether([write]);
        }
    }

    private void Commit(List<PendingWrite> batch)
    {
        var session = SessionFor(batch);
        session.Execute("BEGIN IMMEDIATE");
        try
        {
            foreach (var write in batch)
                write.Work(session);
            session.Execute("COMMIT");
        }
        catch
        {
            RolledBack?.Invoke();
            // Some errors have rolled back already.
            if (session.IsInTransaction)
                session.Execute("ROLLBACK");
            throw;
        }

        foreach (var write in batch)
            write.Complete();
    }

    private SqliteSession SessionFor(List<PendingWrite> batch)
    {
        if (_options.Durability == SqliteDurability.Power || !batch.Exists(static write => write.Durability == SqliteDurability.Power))
            return _session;
        return _powerSession ??= new SqliteSession(_options.Path, Pragmas(_options, SqliteDurability.Power, _options.CacheKibibytes));
    }

    private abstract class PendingWrite(SqliteDurability durability)
    {
        public SqliteDurability Durability => durability;

        public abstract void Work(SqliteSession session);

        public abstract void Complete();

        public abstract void Fail(Exception failure);
    }

    private sealed class PendingWrite<T>(SqliteDurability durability, Func<SqliteSession, T> work) : PendingWrite(durability)
    {
        private T _result = default!;

        public TaskCompletionSource<T> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override void Work(SqliteSession session) => _result = work(session);

        public override void Complete() => Done.SetResult(_result);

        public override void Fail(Exception failure) => Done.SetException(failure);
    }
}
