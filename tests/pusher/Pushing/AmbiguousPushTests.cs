using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Stripe.Billing;
using StripeMeter.Defaults.Billing;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Tenants;
using StripeMeter.Pusher.StripeApi;
using StripeMeter.Pusher.Telemetry;
using StripeMeter.Pusher.Tests.Protocol;
using StripeMeter.Storage.Sqlite;
using StripeMeter.StripeDouble;

namespace StripeMeter.Pusher.Tests.Pushing;

/// <summary>
/// A push whose answer was lost, and a pusher that comes back when Stripe may have forgotten its identifier: from then on the
/// same event would be counted twice.
/// </summary>
public sealed class AmbiguousPushTests : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("stripemeter-ambiguous-").FullName;
    private readonly FakeTimeProvider _clock = new(Documents.Noon.ToOffset());
    private readonly ServiceProvider _metrics = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly PushProtocol _protocol = new(new PushRules(), () => 0);
    private readonly SqliteMeterStore _store;
    private UInt128 _nonce;

    public AmbiguousPushTests() => _store = new SqliteMeterStore(Path.Combine(_folder, "data"));

    private IDeltaLedger Deltas => _store.Of(new TenantId("acme")).Deltas;

    [Fact]
    public async Task Push_AmbiguousFor30Hours_IsSettledByItsMinuteAndNeverSentAgain()
    {
        await using var stripe = await StartDoubleAsync();
        var key = await RaiseAsync(stripe);
        stripe.Faults.LoseReplies(1);
        await DriveAsync(stripe, key);
        Assert.Equal(IntentState.Ambiguous, (await Deltas.LoadAsync(key, CancellationToken.None))!.Open!.State);

        _clock.Advance(TimeSpan.FromHours(30));
        await DriveAsync(stripe, key);

        Assert.Equal("7", Assert.Single(stripe.ReadEvents()).Value);
        var document = await Deltas.LoadAsync(key, CancellationToken.None);
        Assert.Equal((null, "7"), (document!.Open, document.Periods.Single().Accepted.ToString()));
        Assert.Equal(IntentState.Confirmed, Assert.Single(await Deltas.HistoryAsync(key, 0, 10, CancellationToken.None)).State);
    }

    [Fact]
    public async Task Push_AmbiguousFor30HoursAndNeverTaken_IsToldAnewOnceThatIsProved()
    {
        await using var stripe = await StartDoubleAsync();
        var key = await RaiseAsync(stripe);
        stripe.Faults.FailBeforeCommit(1);
        await DriveAsync(stripe, key);

        _clock.Advance(TimeSpan.FromHours(30));
        await DriveAsync(stripe, key);
        Assert.Equal(IntentState.Ambiguous, (await Deltas.LoadAsync(key, CancellationToken.None))!.Open!.State);
        Assert.Empty(stripe.ReadEvents());

        _clock.Advance(TimeSpan.FromHours(18));
        await DriveAsync(stripe, key);
        _clock.Advance(TimeSpan.FromHours(1));
        await DriveAsync(stripe, key);

        Assert.Equal("7", Assert.Single(stripe.ReadEvents()).Value);
        var history = await Deltas.HistoryAsync(key, 0, 10, CancellationToken.None);
        Assert.Equal([IntentState.Missing, IntentState.Accepted], history.Select(intent => intent.State));
        Assert.Equal(2, history.Select(intent => intent.Identifier).Distinct().Count());
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        await _metrics.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private Task<StripeDoubleHost> StartDoubleAsync() => StripeDoubleHost.StartAsync(new StripeDoubleOptions
    {
        DataFile = Path.Combine(_folder, "stripe.db"), Port = 0, TimeProvider = _clock,
        // The test's clock rings once for each interval in 30 hours.
        SettleInterval = TimeSpan.FromMinutes(10),
    });

    private async Task<DeltaKey> RaiseAsync(StripeDoubleHost stripe)
    {
        await _store.PrepareAsync(CancellationToken.None);
        using var accounts = Accounts(stripe);
        var meter = await accounts.BilledOf(StripeCalls.OwnAccount)!.Client.V1.Billing.Meters.CreateAsync(new MeterCreateOptions
        {
            DisplayName = "calls", EventName = Documents.Meter.EventName, DefaultAggregation = new MeterDefaultAggregationOptions { Formula = "sum" },
        });
        var document = Documents.Empty with { Key = new DeltaKey(stripe.AccountId, false, meter.Id, "cus_1") };
        await Deltas.SaveAsync(new Documents(_protocol).Raised(7, document: document), CancellationToken.None);
        return document.Key;
    }

    /// <summary>A pusher that starts, does what is to be done now, and ends.</summary>
    private async Task DriveAsync(StripeDoubleHost stripe, DeltaKey key)
    {
        using var accounts = Accounts(stripe);
        var options = new PusherOptions();
        var gates = new AccountGates(options, _clock);
        // A bucket begins empty.
        gates.Of(key);
        _clock.Advance(TimeSpan.FromSeconds(2));
        var instruments = new PusherInstruments(_metrics.GetRequiredService<IMeterFactory>(), gates, options, _clock);
        var sender = new MeterEventSender(
            accounts, gates, new MeterDirectory(options, _clock), new SummaryReader(accounts, gates, NullLogger<SummaryReader>.Instance), instruments,
            NullLogger<MeterEventSender>.Instance);
        await new DeltaPusher(Deltas, sender, _protocol, _clock, () => ++_nonce).DriveAsync(key, CancellationToken.None);
    }

    private StripeAccounts Accounts(StripeDoubleHost stripe) =>
        new(new StripeOptions { ApiBase = stripe.BaseAddress }, new PusherOptions(), _clock);
}
