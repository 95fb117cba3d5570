using System.Collections.Concurrent;
using System.Net;
using Microsoft.Data.Sqlite;
using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Http;
using StripeMeter.StripeDouble.MeterEventStreams;
using StripeMeter.StripeDouble.Storage;

namespace StripeMeter.StripeDouble.Accounts;

/// <summary>
/// The account of the keys and those connected to it, each with a data file of its own beside the first one's. Nothing of
/// one account can be seen from another.
/// </summary>
/// <param name="options">Where the files are.</param>
/// <param name="open">Puts an account together over its file.</param>
internal sealed class AccountBook(StripeDoubleOptions options, Func<Account, SqliteFile, AccountData> open) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<AccountData>> _connected = new(StringComparer.Ordinal);
    private AccountData? _own;

    public AccountData Own => _own ?? throw new InvalidOperationException("The accounts are not open yet.");

    /// <summary>Every account, the keys' own first.</summary>
    public IEnumerable<AccountData> All => Own.File.Read(Account.All).Select(Of);

    /// <exception cref="IOException">The data file cannot be opened.</exception>
    public async Task OpenAsync()
    {
        var file = Open(options.DataFile);
        var now = options.TimeProvider.GetUtcNow().ToUnixTimeSeconds();
        _own = open(await file.WriteAsync(session => Account.GetOrCreate(session, now), CancellationToken.None).ConfigureAwait(false), file);
    }

    /// <summary>Whether an account is the keys' own: the first of them all.</summary>
    public bool IsOwn(Account account) => _own is null || _own.Account.Id == account.Id;

    /// <summary>The account that a request is for: by its key and <c>Stripe-Account</c>, or by the token of its stream.</summary>
    /// <exception cref="StripeRefusal">It has no key, or none that may do what it is for.</exception>
    public AccountData Of(HttpRequest request) => request.Path == MeterEventStreamApi.Path ? OfToken(request.Headers) : OfKey(request);

    /// <summary>An account by its id; null if there is none.</summary>
    public AccountData? Find(string id) =>
        id == Own.Account.Id ? Own : Own.File.Read(Account.All).FirstOrDefault(account => account.Id == id) is { } account ? Of(account) : null;

    public async ValueTask DisposeAsync()
    {
        foreach (var connected in _connected.Values.Where(static connected => connected.IsValueCreated))
            await connected.Value.DisposeAsync().ConfigureAwait(false);
        if (_own is not null)
            await _own.DisposeAsync().ConfigureAwait(false);
    }

    private AccountData OfToken(IHeaderDictionary headers)
    {
        var token = ApiKey.Required(headers);
        var now = options.TimeProvider.GetUtcNow();
        return All.FirstOrDefault(account => account.File.Read(session => MeterEventStreamApi.IsTokenOf(session, token, now)))
            ?? throw ApiKey.Unauthorized("Invalid token: a stream takes that of a session, not an API key.");
    }

    private AccountData OfKey(HttpRequest request)
    {
        ApiKey.Check(request.Headers);
        var named = request.Headers["Stripe-Account"].ToString();
        var account = named.Length == 0 ? Own : Find(named) ?? throw new StripeRefusal(
            HttpStatusCode.Forbidden, $"The provided key does not have access to account '{named}'.")
        {
            Code = "account_invalid",
        };
        ApiKey.CheckPermission(request, account.Account.Id);
        return account;
    }

    private AccountData Of(Account account) => account.Id == Own.Account.Id
        ? Own
        : _connected.GetOrAdd(account.Id, _ => new Lazy<AccountData>(() => OpenConnected(account))).Value;

    private AccountData OpenConnected(Account account) => open(
        account, Open($"{Path.ChangeExtension(options.DataFile, null)}.{account.Id}{Path.GetExtension(options.DataFile)}"));

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
}
