using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Data.Sqlite;
using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Accounts;
using StripeMeter.StripeDouble.Control;
using StripeMeter.StripeDouble.Customers;
using StripeMeter.StripeDouble.EventSummaries;
using StripeMeter.StripeDouble.Faults;
using StripeMeter.StripeDouble.Http;
using StripeMeter.StripeDouble.MeterEvents;
using StripeMeter.StripeDouble.Meters;
using StripeMeter.StripeDouble.Prices;
using StripeMeter.StripeDouble.Products;
using StripeMeter.StripeDouble.Storage;

namespace StripeMeter.StripeDouble;

/// <summary>A running Stripe double. What it answered 200 is on disk, and a double started over the same file goes on from there.</summary>
public sealed class StripeDoubleHost : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly SqliteFile _file;
    private readonly RequestLog _log;
    private readonly TimeSpan _gracefulShutdown;
    private int _isStopped;

    private StripeDoubleHost(StripeDoubleOptions options, SqliteFile file, Account account)
    {
        _file = file;
        _gracefulShutdown = options.GracefulShutdown;
        AccountId = account.Id;
        _log = new RequestLog(options.RememberedRequests);
        var server = new StripeServer(options, file, account, Routes(options, account, Faults), Faults, _log);
        var control = new ControlApi(file, account, _log, Faults);
        _application = Build(options);
        _application.Run(context =>
            context.Request.Path.StartsWithSegments(ControlApi.Prefix) ? control.ServeAsync(context) : server.ServeAsync(context));
    }

    /// <summary>What the client's base-address options are set to.</summary>
    public Uri BaseAddress { get; private set; } = null!;

    /// <summary>Id of the account; stays with the data file, and is unlike any of Stripe's.</summary>
    public string AccountId { get; }

    /// <summary>What is to go wrong.</summary>
    public StripeDoubleFaults Faults { get; } = new();

    /// <summary>The newest requests, oldest first, as many as the options let it remember.</summary>
    public IReadOnlyList<ReceivedRequest> Requests => _log.Read();

    /// <summary>Opens the data file and the port.</summary>
    /// <exception cref="ArgumentException">An option makes no sense; the message names it.</exception>
    /// <exception cref="IOException">The port is taken, or the file cannot be opened.</exception>
    public static async Task<StripeDoubleHost> StartAsync(StripeDoubleOptions options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        var file = Open(options.DataFile);
        var now = options.TimeProvider.GetUtcNow().ToUnixTimeSeconds();
        var account = await file.WriteAsync(session => Account.GetOrCreate(session, now), CancellationToken.None).ConfigureAwait(false);
        var host = new StripeDoubleHost(options, file, account);
        try
        {
            await host._application.StartAsync(cancellation).ConfigureAwait(false);
            var server = host._application.Services.GetRequiredService<IServer>();
            host.BaseAddress = new Uri(server.Features.Get<IServerAddressesFeature>()!.Addresses.Single());
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
    public IReadOnlyList<MeterEvent> ReadEvents(long after = 0, int limit = 1_000) =>
        _file.Read(session => MeterEventTable.Read(session, after, limit));

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isStopped, 1) == 1)
            return;
        Faults.Clear();
        using var atOnce = new CancellationTokenSource(_gracefulShutdown);
        await _application.StopAsync(atOnce.Token).ConfigureAwait(false);
        await _application.DisposeAsync().ConfigureAwait(false);
        await _file.DisposeAsync().ConfigureAwait(false);
    }

    private static SqliteFile Open(string path)
    {
        try
        {
            return new SqliteFile(new SqliteFileOptions
            {
                Path = path, Durability = SqliteDurability.Power, Schema = Schema.Sql, CacheKibibytes = 8_192,
            });
        }
        catch (Exception problem) when (problem is SqliteException or UnauthorizedAccessException)
        {
            throw new IOException($"{path} cannot be opened: {problem.Message}", problem);
        }
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

    private static IReadOnlyList<StripeRoute> Routes(StripeDoubleOptions options, Account account, StripeDoubleFaults faults)
    {
        var customers = new ObjectStore(CustomerApi.Kind);
        var products = new ObjectStore(ProductApi.Kind);
        return
        [
            new MeterEventApi(options, customers).Route,
            new EventSummaryApi(options, customers, faults).Route,
            new MeterEventAdjustmentApi(options).Route,
            .. MeterApi.Routes,
            .. new CustomerApi(customers).Routes,
            .. new ProductApi(products).Routes,
            .. new PriceApi(new ObjectStore(PriceApi.Kind), products).Routes,
            .. new AccountApi(account).Routes,
        ];
    }
}
