using System.Globalization;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using StripeMeter.StripeDouble.Accounts;
using StripeMeter.StripeDouble.Clock;
using StripeMeter.StripeDouble.Control;
using StripeMeter.StripeDouble.Faults;
using StripeMeter.StripeDouble.Http;
using StripeMeter.StripeDouble.MeterEvents;
using StripeMeter.StripeDouble.Notices;
using StripeMeter.StripeDouble.Settling;
using StripeMeter.StripeDouble.Storage;

namespace StripeMeter.StripeDouble;

/// <summary>A running Stripe double. What it answered 200 is on disk, and a double started over the same file goes on from there.</summary>
public sealed class StripeDoubleHost : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly AccountBook _accounts;
    private readonly DoubleClock _clock;
    private readonly WebhookSetting _webhook = new();
    private readonly WebhookDelivery _delivery;
    private readonly Settler _settler;
    private readonly RequestLog _log;
    private readonly TimeSpan _gracefulShutdown;
    private int _isStopped;

    private StripeDoubleHost(StripeDoubleOptions options)
    {
        _gracefulShutdown = options.GracefulShutdown;
        _clock = new DoubleClock(options.TimeProvider);
        options = options with { TimeProvider = _clock };
        _log = new RequestLog(options.RememberedRequests);
        _accounts = new AccountBook(options, (account, file) =>
            AccountParts.Assemble(options, account, file, isOwn: _accounts!.IsOwn(account), Faults, _webhook));
        _delivery = new WebhookDelivery(_webhook, _clock, Faults, options);
        _settler = new Settler(_accounts, _delivery, options);
        var server = new StripeServer(options, _accounts, Faults, _log);
        var control = new ControlApi(this, _accounts, _log, Faults);
        _application = Build(options);
        _application.Run(context =>
            context.Request.Path.StartsWithSegments(ControlApi.Prefix) ? control.ServeAsync(context) : server.ServeAsync(context));
    }

    /// <summary>What the client's base-address options are set to.</summary>
    public Uri BaseAddress { get; private set; } = null!;

    /// <summary>Id of the keys' own account; stays with the data file, and is unlike any of Stripe's.</summary>
    public string AccountId => _accounts.Own.Account.Id;

    /// <summary>What is to go wrong.</summary>
    public StripeDoubleFaults Faults { get; } = new();

    /// <summary>The newest requests, oldest first, as many as the options let it remember.</summary>
    public IReadOnlyList<ReceivedRequest> Requests => _log.Read();

    /// <summary>The double's time.</summary>
    public DateTimeOffset Now => _clock.GetUtcNow();

    /// <summary>Opens the data file and the port.</summary>
    /// <exception cref="ArgumentException">An option makes no sense; the message names it.</exception>
    /// <exception cref="IOException">The port is taken, or the file cannot be opened.</exception>
    public static async Task<StripeDoubleHost> StartAsync(StripeDoubleOptions options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        var host = new StripeDoubleHost(options);
        try
        {
            await host._accounts.OpenAsync().ConfigureAwait(false);
            host.Recall(options);
            await host._application.StartAsync(cancellation).ConfigureAwait(false);
            var server = host._application.Services.GetRequiredService<IServer>();
            host.BaseAddress = new Uri(server.Features.Get<IServerAddressesFeature>()!.Addresses.Single());
            host._settler.Start();
            return host;
        }
        catch
        {
            await host.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Meter events in the order of receipt, those that do not count too.</summary>
    /// <param name="after">Number of the last one known; 0 starts at the first.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="account">A connected account; null: the keys' own.</param>
    /// <exception cref="ArgumentException">There is no such account.</exception>
    public IReadOnlyList<MeterEvent> ReadEvents(long after = 0, int limit = 1_000, string? account = null)
    {
        var data = account is null ? _accounts.Own : _accounts.Find(account);
        return data is null
            ? throw new ArgumentException($"There is no account {account}.", nameof(account))
            : data.File.Read(session => MeterEventTable.Read(session, after, limit));
    }

    /// <summary>
    /// Does what is due: ends billing periods, makes invoices final, reports what was rejected, delivers events. Done by
    /// itself twice a second; for who does not want to wait.
    /// </summary>
    public Task SettleAsync(CancellationToken cancellation = default) => _settler.SettleAsync(cancellation);

    /// <summary>Moves the double's time ahead, as a test clock, and does what becomes due by it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It would go back.</exception>
    public async Task AdvanceAsync(TimeSpan time, CancellationToken cancellation = default)
    {
        _clock.Advance(time);
        await _accounts.Own.File.WriteAsync(
            session => SettingTable.Set(session, SettingTable.ClockAheadTicks, _clock.Ahead.Ticks.ToString(CultureInfo.InvariantCulture)),
            cancellation).ConfigureAwait(false);
        await SettleAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Delivers events to an address from now on. What came about before is not delivered there.</summary>
    /// <param name="url">The address.</param>
    /// <param name="secret">Signs what is delivered.</param>
    /// <param name="cancellation">Ends the call.</param>
    public async Task ListenAsync(Uri url, string secret, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(url);
        ArgumentException.ThrowIfNullOrEmpty(secret);
        await _accounts.Own.File.WriteAsync(
            session =>
            {
                SettingTable.Set(session, SettingTable.WebhookUrl, url.ToString());
                SettingTable.Set(session, SettingTable.WebhookSecret, secret);
            },
            cancellation).ConfigureAwait(false);
        _webhook.Target = new WebhookTarget(url, secret);
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isStopped, 1) == 1)
            return;
        Faults.Clear();
        using var atOnce = new CancellationTokenSource(_gracefulShutdown);
        await _application.StopAsync(atOnce.Token).ConfigureAwait(false);
        await _application.DisposeAsync().ConfigureAwait(false);
        await _settler.DisposeAsync().ConfigureAwait(false);
        _delivery.Dispose();
        await _accounts.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>What the controls set before, unless the options say otherwise.</summary>
    private void Recall(StripeDoubleOptions options)
    {
        var (ahead, url, secret) = _accounts.Own.File.Read(static session => (
            SettingTable.Find(session, SettingTable.ClockAheadTicks), SettingTable.Find(session, SettingTable.WebhookUrl),
            SettingTable.Find(session, SettingTable.WebhookSecret)));
        if (ahead is not null)
            _clock.Advance(TimeSpan.FromTicks(long.Parse(ahead, CultureInfo.InvariantCulture)));
        if (options.WebhookUrl is { } listening)
            _webhook.Target = new WebhookTarget(listening, options.WebhookSecret);
        else if (url is not null && secret is not null)
            _webhook.Target = new WebhookTarget(new Uri(url), secret);
    }

    private static WebApplication Build(StripeDoubleOptions options)
    {
        // Empty, so that settings meant for the process around it change nothing here.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(options.LoggerFactory);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.MaximumRequestBytes;
            kestrel.Limits.MaxConcurrentConnections = options.MaximumConnections;
            kestrel.Listen(options.Address, options.Port, static listen => listen.Protocols = HttpProtocols.Http1);
        });
        return builder.Build();
    }
}
