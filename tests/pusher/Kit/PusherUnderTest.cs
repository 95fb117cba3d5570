using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Stripe;
using Stripe.Billing;
using StripeMeter.Defaults.Hosting;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.Storage.Sqlite;
using StripeMeter.StripeDouble;
using StripeMeter.V1;
using Counter = StripeMeter.Metering.Counting.Counter;
using CounterVersion = StripeMeter.Metering.Counting.CounterVersion;
using Mapping = StripeMeter.V1.Mapping;

namespace StripeMeter.Pusher.Tests.Kit;

/// <summary>Pushers, the Stripe double they tell, and the store they share with whoever counts.</summary>
internal sealed class PusherUnderTest : IAsyncDisposable
{
    public const string Tenant = "acme";

    /// <summary>The time of all tests, far from both ends of a month, so that what they need of a period is there on every day.</summary>
    public static readonly TimeProvider Clock = ShiftedTime.MidMonth();

    private readonly string _folder = Directory.CreateTempSubdirectory("stripemeter-pusher-").FullName;
    private readonly List<WebApplication> _pushers = [];
    private readonly List<GrpcChannel> _channels = [];
    private readonly Dictionary<CounterKey, CounterRow> _rows = [];
    private readonly HttpClient _http = new();
    private readonly SqliteMeterStore _store;
    private int _doublePort;

    private PusherUnderTest() => _store = new SqliteMeterStore(Path.Combine(_folder, "data"));

    public StripeDoubleHost Double { get; private set; } = null!;

    /// <summary>The double's time, which a test may set back to have something begin earlier.</summary>
    public ShiftedTime DoubleTime { get; } = new(Clock);

    public StripeClient Stripe { get; private set; } = null!;

    public IMeterStore AllTenants => _store;

    public ITenantStore Store => Of(Tenant);

    public MappingService.MappingServiceClient Mappings => new(_channels[0]);

    public PushService.PushServiceClient Pushes => new(_channels[0]);

    public WebhookService.WebhookServiceClient Webhooks => new(_channels[0]);

    public CallInvoker Calls => _channels[0].CreateCallInvoker();

    public BillingDriverService.BillingDriverServiceClient Driver => new(_channels[0]);

    public ReconciliationService.ReconciliationServiceClient Reconciliation => new(_channels[0]);

    public PushExplainService.PushExplainServiceClient Explanations => new(_channels[0]);

    public static BillingPeriod ThisMonth => PeriodClock.CalendarMonths.PeriodOf("", Instant.Of(Clock.GetUtcNow()));

    /// <param name="pushers">How many pushers run over the same store.</param>
    /// <param name="settings">Settings beside those that make it fast and local.</param>
    public static async Task<PusherUnderTest> StartAsync(int pushers = 1, params (string Name, string Value)[] settings)
    {
        var subject = new PusherUnderTest();
        await subject.StartDoubleAsync();
        for (var number = 0; number < pushers; number++)
            await subject.StartPusherAsync(settings);
        return subject;
    }

    public ITenantStore Of(string tenant) => _store.Of(new TenantId(tenant));

    public Task StartPusherAsync(params (string Name, string Value)[] settings) => StartPusherAsync(null, settings);

    /// <summary>Starts a pusher whose logs are kept, whatever their level.</summary>
    public async Task StartPusherAsync(CapturedLogs? logs, params (string Name, string Value)[] settings)
    {
        var all = new Dictionary<string, string?>
        {
            ["APP_PORT"] = "0", ["PROBE_PORT"] = "0", ["DATA_DIRECTORY"] = Path.Combine(_folder, "data"), ["LOG_LEVEL"] = "Error",
            ["BYPASS_AUTH"] = "1", ["STRIPE_API_BASE"] = Double.BaseAddress.ToString(), ["STRIPE_WRITER_INTERVAL_MS"] = "50", ["PUSH_WAKE_DELAY_MS"] = "10", ["PUSH_CUT_WAIT_MS"] = "0",
            ["STRIPE_RATE_PER_SECOND"] = "1000", ["STRIPE_CALL_TIMEOUT_MS"] = "1000",
        };
        foreach (var (name, value) in settings)
            all[name] = value;
        var pusher = PusherApp.Build([], all, builder =>
        {
            builder.Services.AddSingleton(Clock);
            if (logs is not null)
                builder.Logging.AddProvider(logs).AddFilter<CapturedLogs>(null, LogLevel.Trace);
        });
        await pusher.StartAsync();
        _pushers.Add(pusher);
        _channels.Add(GrpcChannel.ForAddress($"http://127.0.0.1:{pusher.AppPort()}"));
    }

    /// <summary>A target in the delta ledger, for an account that no mapping names.</summary>
    public Task<bool> PushIntoTheVoidAsync(string account)
    {
        var now = Instant.Of(Clock.GetUtcNow());
        var protocol = new PushProtocol(new PushRules(), () => 0);
        var document = new DeltaDocument { Key = new DeltaKey(account, false, "mtr_1", "cus_1"), Meter = new MeterNames("e", "c", "v") };
        var counter = new Contribution("m", "cus_1", Quantity.FromInteger(1), new CounterVersion(0, 1), "log", ThisMonth.Start);
        return Store.Deltas.SaveAsync(protocol.Raise(document, ThisMonth, counter, document.Meter, now, now), CancellationToken.None);
    }

    /// <summary>A document without usage, as the beginning of a subscription leaves it.</summary>
    public Task<bool> NoteCustomerAsync(string account, string customer) => Store.Deltas.SaveAsync(
        new DeltaDocument { Key = new DeltaKey(account, false, "mtr_1", customer), Meter = new MeterNames("", "", "") }, CancellationToken.None);

    /// <summary>What Stripe has refused too often waits for a human.</summary>
    public async Task ParkAsync(string meterId, string customer)
    {
        var document = await DocumentAsync(meterId, customer);
        Assert.True(await Store.Deltas.SaveAsync(document! with { ParkedSince = Instant.Of(Clock.GetUtcNow()) }, CancellationToken.None));
    }

    /// <summary>What the first pusher shows of one metric: a line for each set of labels.</summary>
    public async Task<IReadOnlyList<string>> MetricAsync(string name) =>
        [.. (await MetricsAsync()).Split('\n').Where(line => line.StartsWith(name + "{", StringComparison.Ordinal))];

    /// <summary>What the first pusher shows of itself.</summary>
    public Task<string> MetricsAsync() => _http.GetStringAsync($"http://127.0.0.1:{_pushers[0].ProbePort()}/metrics");

    public async Task StopPushersAsync()
    {
        foreach (var channel in _channels)
            channel.Dispose();
        foreach (var pusher in _pushers)
        {
            await pusher.StopAsync();
            await pusher.DisposeAsync();
        }

        _channels.Clear();
        _pushers.Clear();
    }

    /// <summary>Starts the double, the second time over the same data and at the same address.</summary>
    public async Task StartDoubleAsync()
    {
        Double = await StripeDoubleHost.StartAsync(new StripeDoubleOptions
        {
            DataFile = Path.Combine(_folder, "stripe.db"), Port = _doublePort, TimeProvider = DoubleTime,
        });
        _doublePort = Double.BaseAddress.Port;
        Stripe = new StripeClient(new StripeClientOptions
        {
            ApiKey = "sk_test_double", ApiBase = Double.BaseAddress.ToString().TrimEnd('/'), HttpClient = new SystemNetHttpClient(_http),
        });
    }

    public Task<Meter> CreateMeterAsync(string eventName, string formula = "sum", string? window = null) =>
        Stripe.V1.Billing.Meters.CreateAsync(new MeterCreateOptions
        {
            DisplayName = eventName, EventName = eventName, EventTimeWindow = window,
            DefaultAggregation = new MeterDefaultAggregationOptions { Formula = formula },
        });

    /// <summary>A monthly price of 5 cents a unit of a meter.</summary>
    public Task<Price> CreatePriceAsync(string meterId) => Stripe.V1.Prices.CreateAsync(new PriceCreateOptions
    {
        Currency = "usd", UnitAmount = 5, ProductData = new PriceProductDataOptions { Name = "Calls" },
        Recurring = new PriceRecurringOptions { Interval = "month", UsageType = "metered", Meter = meterId },
    });

    /// <summary>A meter of the metric's name, and the mapping onto it.</summary>
    public async Task<Mapping> MapAsync(string metric, Aggregation aggregation = Aggregation.Sum, Action<Mapping>? change = null)
    {
        var meter = await CreateMeterAsync(metric);
        return await CreateMappingAsync(metric, mapping =>
        {
            (mapping.Aggregation, mapping.MeterId) = (aggregation, meter.Id);
            change?.Invoke(mapping);
        });
    }

    /// <summary>A mapping of the metric's sum onto what is there.</summary>
    public async Task<Mapping> CreateMappingAsync(string metric, Action<Mapping> onto)
    {
        var mapping = new Mapping { TenantId = Tenant, Metric = metric, Aggregation = Aggregation.Sum, StripeAccount = "default", Active = true };
        onto(mapping);
        return await Mappings.CreateMappingAsync(new CreateMappingRequest { Mapping = mapping });
    }

    /// <summary>A subscription that began a while ago.</summary>
    /// <param name="customer">Its customer.</param>
    /// <param name="price">Its price.</param>
    /// <param name="sinceMonthStart">When, since this month began; null: before, with the calendar month for its period.</param>
    public async Task<Subscription> SubscribeAsync(string customer, string price, TimeSpan? sinceMonthStart = null)
    {
        var month = ThisMonth.Start.ToOffset();
        DoubleTime.Shift = month + (sinceMonthStart ?? TimeSpan.FromDays(-1)) - Clock.GetUtcNow();
        var subscription = await Stripe.V1.Subscriptions.CreateAsync(new SubscriptionCreateOptions
        {
            Customer = customer, Items = [new SubscriptionItemOptions { Price = price }],
            BillingCycleAnchor = sinceMonthStart is null ? month.UtcDateTime : null,
        });
        DoubleTime.Shift = TimeSpan.Zero;
        await Double.SettleAsync();
        return subscription;
    }

    /// <summary>Counts one more event, as the aggregator would.</summary>
    public async Task CountAsync(string metric, string customer, string quantity, TimeSpan? ago = null)
    {
        var now = Instant.Of(Clock.GetUtcNow());
        var key = new CounterKey(metric, customer, ThisMonth.Start);
        var counter = _rows.TryGetValue(key, out var row) ? row.Counter : Counter.Empty(key, ThisMonth);
        var aggregates = counter.Aggregates.With(
            Quantity.Parse(quantity), now - (ago ?? TimeSpan.Zero), $"key {counter.Version.Position}");
        counter = counter with { Aggregates = aggregates, Version = new CounterVersion(0, counter.Version.Position + 1) };
        _rows[key] = new CounterRow(counter, 0, "log", now);
        await Store.Projection.WriteAsync([_rows[key]], CancellationToken.None);
    }

    /// <summary>Counts the month anew in two periods, as the aggregator would for a customer that is anchored elsewhere.</summary>
    public Task CutAsync(string metric, string customer, Instant at, string before, string after) => Store.Projection.WriteAsync(
        [Recounted(metric, customer, ThisMonth with { End = at }, before, 1), Recounted(metric, customer, PeriodAnchor.Following(at, at), after, 1)],
        CancellationToken.None);

    /// <summary>Counts more in the period that began at the cut.</summary>
    public Task CountBehindAsync(string metric, string customer, Instant at, string total) => Store.Projection.WriteAsync(
        [Recounted(metric, customer, PeriodAnchor.Following(at, at), total, 2)], CancellationToken.None);

    private static CounterRow Recounted(string metric, string customer, BillingPeriod period, string quantity, int times)
    {
        var now = Instant.Of(Clock.GetUtcNow());
        var counter = Counter.Empty(new CounterKey(metric, customer, period.Start), period);
        var newest = Instant.Min(now, period.End - TimeSpan.FromMinutes(1));
        // Behind all that was counted before.
        var version = new CounterVersion(1_000, 1_000 + times);
        return new CounterRow(
            counter with { Aggregates = counter.Aggregates.With(Quantity.Parse(quantity), newest, "recount"), Version = version }, 0, "log", now);
    }

    /// <summary>Counts an event of a period two months ago.</summary>
    public Task CountBeforeAsync(string metric, string customer, string quantity)
    {
        var past = PeriodClock.CalendarMonths.PeriodOf("", ThisMonth.Start - TimeSpan.FromDays(40));
        var counter = Counter.Empty(new CounterKey(metric, customer, past.Start), past);
        var aggregates = counter.Aggregates.With(Quantity.Parse(quantity), past.Start, "past");
        var row = new CounterRow(counter with { Aggregates = aggregates, Version = new CounterVersion(0, 1) }, 0, "log", past.End);
        return Store.Projection.WriteAsync([row], CancellationToken.None);
    }

    /// <summary>What the double's summaries say of a customer this month.</summary>
    public Task<string> ToldAsync(string meterId, string customer) => ToldAsync(meterId, customer, ThisMonth);

    /// <summary>What the double's summaries say of a customer in a stretch of whole minutes.</summary>
    public async Task<string> ToldAsync(string meterId, string customer, BillingPeriod period)
    {
        var summaries = await Stripe.V1.Billing.Meters.EventSummaries.ListAsync(meterId, new MeterEventSummaryListOptions
        {
            Customer = customer, StartTime = period.Start.ToUtc(), EndTime = period.End.ToUtc(), Limit = 100,
        });
        return summaries.Sum(summary => summary.AggregatedValue).ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Waits until the double has exactly this, and the ledger says so too.</summary>
    public async Task UntilToldAsync(string meterId, string customer, string total)
    {
        await Patience.UntilEqualAsync(total, () => ToldAsync(meterId, customer));
        await Patience.UntilAsync(async () => (await DocumentAsync(meterId, customer))?.BehindSince is null);
    }

    public Task<DeltaDocument?> DocumentAsync(string meterId, string customer) =>
        Store.Deltas.LoadAsync(new DeltaKey(Double.AccountId, false, meterId, customer), CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await StopPushersAsync();
        await Double.DisposeAsync();
        await _store.DisposeAsync();
        _http.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
