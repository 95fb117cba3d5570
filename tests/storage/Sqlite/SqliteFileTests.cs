using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Time.Testing;
using StripeMeter.Metering.Ledger;
using StripeMeter.Sqlite;
using StripeMeter.Storage.Sqlite;

namespace StripeMeter.Storage.Tests.Sqlite;

public sealed class SqliteFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("stripemeter-storage-").FullName;
    private readonly FakeTimeProvider _clock = new();

    private SqliteFileOptions Options => new()
    {
        Path = Path.Combine(_folder, "test.db"), Durability = SqliteDurability.Power, Clock = _clock,
        Schema = "CREATE TABLE IF NOT EXISTS numbers (number INTEGER PRIMARY KEY)",
    };

    [Fact]
    public async Task Write_OneOfAGroupFails_TheOthersAreCommitted()
    {
        await using var file = new SqliteFile(Options);
        using var gate = new Gate();
        var first = file.WriteAsync(gate.Enter, CancellationToken.None);
        await gate.Entered;
        // These wait while the first is under way, and so come into one transaction.
        var writes = Enumerable.Range(1, 5).Select(number => file.WriteAsync(
            session => Insert(session, number == 4 ? 2 : number), TestContext.Current.CancellationToken)).ToArray();
        gate.Open();

        await first;
        var failure = await Assert.ThrowsAsync<SqliteException>(() => Task.WhenAll(writes));
        Assert.Equal(1, writes.Count(write => write.IsFaulted));
        Assert.Equal(19, failure.SqliteErrorCode);
        Assert.Equal([1, 2, 3, 5], file.Read(Numbers));
    }

    [Fact]
    public async Task Write_ThatThrows_ChangesNothing()
    {
        var rolledBack = 0;
        await using var file = new SqliteFile(Options);
        file.RolledBack += () => rolledBack++;

        await Assert.ThrowsAsync<InvalidDataException>(() => file.WriteAsync(
            session =>
            {
                Insert(session, 1);
                throw new InvalidDataException();
            },
            TestContext.Current.CancellationToken));

        Assert.Empty(file.Read(Numbers));
        Assert.Equal(1, rolledBack);
    }

    [Fact]
    public async Task Write_NoPlaceInTime_IsRefusedAndNotBegun()
    {
        await using var file = new SqliteFile(Options with { WaitingWrites = 1, PlaceTimeout = TimeSpan.FromSeconds(5) });
        using var gate = new Gate();
        var underWay = file.WriteAsync(gate.Enter, CancellationToken.None);
        await gate.Entered;
        var waiting = file.WriteAsync(session => Insert(session, 1), CancellationToken.None);
        var refused = file.WriteAsync(session => Insert(session, 2), CancellationToken.None);
        using var given = new CancellationTokenSource();
        var cancelled = file.WriteAsync(session => Insert(session, 3), given.Token);

        await given.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        _clock.Advance(TimeSpan.FromSeconds(5));
        await Assert.ThrowsAsync<TimeoutException>(() => refused);
        gate.Open();
        await Task.WhenAll(underWay, waiting);

        Assert.Equal([1], file.Read(Numbers));
    }

    [Fact]
    public async Task Read_WhileAWriteIsUnderWay_SeesWhatWasCommittedBefore()
    {
        await using var file = new SqliteFile(Options);
        await file.WriteAsync(session => Insert(session, 1), TestContext.Current.CancellationToken);
        using var gate = new Gate();
        var write = file.WriteAsync(
            session =>
            {
                Insert(session, 2);
                gate.Enter(session);
            },
            CancellationToken.None);
        await gate.Entered;

        var before = file.Read(Numbers);
        gate.Open();
        await write;

        Assert.Equal([1], before);
        Assert.Equal([1, 2], file.Read(Numbers));
    }

    [Fact]
    public async Task Write_AfterTheEnd_IsRefused()
    {
        var file = new SqliteFile(Options);
        await file.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(
            () => file.WriteAsync(session => Insert(session, 1), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Open_ManyAtOnce_AllFindTheSchema()
    {
        var files = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => new SqliteFile(Options))));

        await Task.WhenAll(files.Select((file, number) => file.WriteAsync(session => Insert(session, number))));

        Assert.Equal(Enumerable.Range(0, 8), files[0].Read(Numbers));
        foreach (var file in files)
            await file.DisposeAsync();
    }

    [Fact]
    public async Task Open_AFileOfANewerVersion_IsRefused()
    {
        await new SqliteFile(Options with { SchemaVersion = 2 }).DisposeAsync();

        var problem = Assert.Throws<InvalidDataException>(() => new SqliteFile(Options with { SchemaVersion = 1 }));

        Assert.Contains("newer version", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StoreFile_WhileAnotherProcessHoldsTheLock_IsUnavailable()
    {
        await using var file = new StoreFile(Options with { BusyTimeoutMs = 20 });
        using var other = new SqliteSession(Options.Path, "");
        other.Execute("BEGIN IMMEDIATE");

        await Assert.ThrowsAsync<StoreUnavailableException>(
            () => file.WriteAsync(session => Insert(session, 1), TestContext.Current.CancellationToken));
        other.Execute("ROLLBACK");
        await file.WriteAsync(session => Insert(session, 2), TestContext.Current.CancellationToken);

        Assert.Equal([2], await file.ReadAsync(Numbers, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task StoreFile_AMistakeOfOurs_IsNotCalledPassing()
    {
        await using var file = new StoreFile(Options);

        await Assert.ThrowsAsync<SqliteException>(() => file.WriteAsync(
            session =>
            {
                Insert(session, 1);
                Insert(session, 1);
            },
            TestContext.Current.CancellationToken));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static void Insert(SqliteSession session, long number)
    {
        using var insert = session.Prepare("INSERT INTO numbers (number) VALUES (?1)");
        insert.Bind(1, number).Run();
    }

    private static List<int> Numbers(SqliteSession session)
    {
        using var query = session.Prepare("SELECT number FROM numbers ORDER BY number");
        var numbers = new List<int>();
        while (query.Step())
            numbers.Add(query.SmallNumber(0));
        return numbers;
    }

    /// <summary>Holds the writer inside a transaction.</summary>
    private sealed class Gate : IDisposable
    {
        private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ManualResetEventSlim _open = new();

        public Task Entered => _entered.Task;

        public void Enter(SqliteSession session)
        {
            _entered.SetResult();
            _open.Wait(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        }

        public void Open() => _open.Set();

        public void Dispose() => _open.Dispose();
    }
}
