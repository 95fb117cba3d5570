using System.Collections.Concurrent;
using System.Threading.Channels;

namespace StripeMeter.LocalDapr.Storage;

/// <summary>
/// The one file of a sidecar group: state, reminders, durable topics and the registry of sidecars. One writer commits together
/// what came in together; readers never wait for it (WAL). Several processes may open the same file.
/// </summary>
internal sealed class SqliteFile : IAsyncDisposable
{
    /// <summary>Writes that wait at most; who comes later waits for a place.</summary>
    public const int MaximumWaitingWrites = 4096;

    /// <summary>Writes in one transaction at most.</summary>
    public const int MaximumWritesPerCommit = 256;

    /// <summary>Idle read connections that are kept.</summary>
    public const int MaximumIdleReaders = 8;

    private const string CommonPragmas =
        "PRAGMA busy_timeout=10000; PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=4000; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16384;";

    private readonly string _path;
    private readonly SqliteSession _fast;
    private readonly SqliteSession _safe;
    private readonly ConcurrentBag<SqliteSession> _readers = [];
    private readonly Channel<PendingWrite> _writes = Channel.CreateBounded<PendingWrite>(
        new BoundedChannelOptions(MaximumWaitingWrites) { SingleReader = true });
    private readonly Task _writer;

    public SqliteFile(string path)
    {
        _path = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
        _fast = new SqliteSession(_path, "PRAGMA page_size=8192;" + CommonPragmas + "PRAGMA synchronous=NORMAL;");
        _safe = new SqliteSession(_path, CommonPragmas + "PRAGMA synchronous=FULL;");
        Schema.Create(_fast);
        _writer = Task.Run(RunWriterAsync);
    }

    /// <summary>Runs <paramref name="work"/> inside a transaction of its own or shared; done when it is committed.</summary>
    public async Task WriteAsync(Durability durability, Action<SqliteSession> work)
    {
        var pending = new PendingWrite(durability, work);
        await _writes.Writer.WriteAsync(pending).ConfigureAwait(false);
        await pending.Done.Task.ConfigureAwait(false);
    }

    /// <summary>Runs <paramref name="read"/> on the newest committed data.</summary>
    public T Read<TArgument, T>(TArgument argument, Func<SqliteSession, TArgument, T> read)
    {
        if (!_readers.TryTake(out var session))
            session = new SqliteSession(_path, CommonPragmas);
        try
        {
            return read(session, argument);
        }
        finally
        {
            if (_readers.Count < MaximumIdleReaders)
                _readers.Add(session);
            else
                session.Dispose();
        }
    }

    private async Task RunWriterAsync()
    {
        var batch = new List<PendingWrite>(MaximumWritesPerCommit);
        while (await _writes.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            while (batch.Count < MaximumWritesPerCommit && _writes.Reader.TryRead(out var write))
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
            batch[0].Done.SetException(failure);
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
        var session = batch.Exists(static write => write.Durability == Durability.Power) ? _safe : _fast;
        session.Execute("BEGIN IMMEDIATE");
        try
        {
            foreach (var write in batch)
                write.Work(session);
            session.Execute("COMMIT");
        }
        catch
        {
            session.Execute("ROLLBACK");
            throw;
        }

        foreach (var write in batch)
            write.Done.SetResult();
    }

    /// <summary>Commits what waits and closes the file.</summary>
    public async ValueTask DisposeAsync()
    {
        _writes.Writer.TryComplete();
        await _writer.ConfigureAwait(false);
        while (_readers.TryTake(out var session))
            session.Dispose();
        _safe.Dispose();
        _fast.Dispose();
    }

    private sealed class PendingWrite(Durability durability, Action<SqliteSession> work)
    {
        public Durability Durability { get; } = durability;

        public Action<SqliteSession> Work { get; } = work;

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
