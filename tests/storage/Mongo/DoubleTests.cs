using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.Storage.Mongo;

namespace StripeMeter.Storage.Tests.Mongo;

/// <summary>Tests with a database of their own at the double, which fails as it is told to.</summary>
public abstract class DoubleTests(MongoServer server) : IClassFixture<MongoServer>, IAsyncLifetime
{
    private readonly CancellationTokenSource _limit = new(TimeSpan.FromSeconds(60));
    private MongoEngine? _engine;
    private IMeterStore? _store;

    protected MongoServer Server => server;

    protected ITenantStore Acme => _store!.Of(new TenantId("acme"));

    protected string Database => _engine!.Database;

    protected CancellationToken Limit => _limit.Token;

    public async ValueTask InitializeAsync()
    {
        if (server.Missing is not null || server.IsReal)
            return;
        _engine = new MongoEngine(server);
        _store = await _engine.OpenAsync(Shards.DefaultCount, Limit);
        await _store.PrepareAsync(Limit);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_store is not null)
            await _store.DisposeAsync();
        if (_engine is not null)
            await _engine.DisposeAsync();
        _limit.Dispose();
    }

    /// <summary>The single-document operations of the tenant.</summary>
    protected IPositionedRecords Records => ((MongoMeterStore)_store!).RecordsOf(Acme.Tenant);

    protected Task<IReadOnlyList<AppendOutcome>> AppendAsync(params string[] keys) => Acme.Ledger.AppendAsync(
        0,
        Array.ConvertAll(keys, key =>
        {
            var usage = new UsageEvent("calls", "cus_1", "", Quantity.One, default, "", EventSource.Http);
            return LedgerRecord.OfEvent(key, Fingerprint.Of(usage), usage, default(Instant), late: false);
        }),
        Limit);

    protected Task<IReadOnlyList<Countable>> ReadAsync() => Acme.Ledger.ReadAsync(0, 0, 100, Limit);

    private protected static CounterRow Row(string customer)
    {
        var period = PeriodClock.CalendarMonths.PeriodOf(customer, default);
        var counter = Counter.Empty(new CounterKey("calls", customer, period.Start), period)
            .With(new Countable(1, RecordKind.Event, "calls", customer, Quantity.One, default, "a", Late: false));
        return new CounterRow(counter, 0, "log", default);
    }
}
