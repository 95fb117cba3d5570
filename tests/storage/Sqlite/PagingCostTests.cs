using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.Sqlite;
using StripeMeter.Storage.Sqlite;

namespace StripeMeter.Storage.Tests.Sqlite;

/// <summary>That a page costs no more at the end of a listing than at its beginning, in steps of SQLite's machine.</summary>
public sealed class PagingCostTests : IAsyncDisposable
{
    private const int Entries = 2_000;
    private const int PageEntries = 20;
    private static readonly TenantId Tenant = new("acme");
    private static readonly Instant Noon = Instant.OfDate(2026, 3, 14) + TimeSpan.FromHours(12);
    private readonly string _folder = Directory.CreateTempSubdirectory("stripemeter-paging-").FullName;
    private readonly List<StoreFile> _files = [];

    public async ValueTask DisposeAsync()
    {
        foreach (var file in _files)
            await file.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Documents(bool descending)
    {
        var file = Open(SqliteDocuments.Schema);
        var documents = new SqliteDocuments(file, Tenant.Value);
        await documents.WriteAsync(DocumentKind.StagedEvent, [.. Numbers.Select(number => new StoredDocument(IdOf(number), "{}", 0))], CancellationToken.None);

        await AssertFlatAsync(file, number => documents.ListAsync(
            new DocumentQuery(DocumentKind.StagedEvent) { Prefix = "b/", After = IdOf(number), Limit = PageEntries, Descending = descending },
            CancellationToken.None));

        static string IdOf(int number) => $"b/{number:D6}";
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task Events(bool ofOneSeries, bool ascending)
    {
        var file = Open(LedgerSchema.Sql);
        var ledger = new SqliteLedger(file, new LedgerNames(file), Tenant, newTenantShards: 1, tailRecords: 16);
        await ledger.AppendAsync(0, [.. Numbers.Select(RecordOf)], CancellationToken.None);

        await AssertFlatAsync(file, number => ledger.QueryAsync(
            new EventQuery
            {
                Customer = ofOneSeries ? "cus_1" : null, Metric = ofOneSeries ? "calls" : null, Ascending = ascending, Limit = PageEntries,
                After = new EventCursor("", TimeOf(number), 0, number + 1),
            },
            CancellationToken.None));

        static LedgerRecord RecordOf(int number)
        {
            var usage = new UsageEvent("calls", "cus_1", "", Quantity.One, TimeOf(number), "", EventSource.Http);
            return LedgerRecord.OfEvent($"{number}", Fingerprint.Of(usage), usage, Noon, late: false);
        }

        static Instant TimeOf(int number) => Noon + TimeSpan.FromSeconds(number);
    }

    [Theory]
    [InlineData("calls")]
    [InlineData(null)]
    public async Task Counters(string? metric)
    {
        var file = Open(SqliteProjection.Schema);
        var projection = new SqliteProjection(file, Tenant);
        var march = new BillingPeriod(Instant.OfDate(2026, 3, 1), Instant.OfDate(2026, 4, 1));
        await projection.WriteAsync(
            [.. Numbers.Select(number => new CounterRow(Counter.Empty(KeyOf(number), march) with { Version = new CounterVersion(0, 1) }, 0, "log", Noon))],
            CancellationToken.None);

        await AssertFlatAsync(file, number => projection.ListAsync(
            new CounterQuery { Metric = metric, After = KeyOf(number), Limit = PageEntries }, CancellationToken.None));

        CounterKey KeyOf(int number) => new("calls", $"cus_{number:D6}", march.Start);
    }

    private static IEnumerable<int> Numbers => Enumerable.Range(0, Entries);

    private StoreFile Open(string schema)
    {
        var file = new StoreFile(new SqliteFileOptions
        {
            Path = Path.Combine(_folder, "file.db"), Durability = SqliteDurability.Process, Schema = schema,
        });
        _files.Add(file);
        return file;
    }

    /// <summary>One page at a time, so there is one connection that reads.</summary>
    private static async Task AssertFlatAsync<T>(StoreFile file, Func<int, Task<IReadOnlyList<T>>> page)
    {
        var costs = new List<long>();
        foreach (var after in new[] { 2 * PageEntries, Entries / 2, Entries - (2 * PageEntries) })
        {
            var before = await StepsAsync();
            Assert.Equal(PageEntries, (await page(after)).Count);
            costs.Add(await StepsAsync() - before);
        }

        Assert.True(costs.Max() < 2 * costs.Min(), string.Join(", ", costs));

        Task<long> StepsAsync() => file.ReadAsync(session => session.Steps, CancellationToken.None);
    }
}
