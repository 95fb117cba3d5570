using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Http;
using StripeMeter.StripeDouble.Settling;

namespace StripeMeter.StripeDouble.Accounts;

/// <summary>One account: its file, what it answers, and what requests to it hold.</summary>
internal sealed class AccountData(Account account, SqliteFile file, IReadOnlyList<StripeRoute> routes, IReadOnlyList<ISettled> settled)
    : IAsyncDisposable
{
    public Account Account => account;

    public SqliteFile File => file;

    public IReadOnlyList<StripeRoute> Routes => routes;

    /// <summary>What happens to it as time goes by.</summary>
    public IReadOnlyList<ISettled> Settled => settled;

    public Claims KeysInFlight { get; } = new();

    public Claims WorkInFlight { get; } = new();

    public ValueTask DisposeAsync() => file.DisposeAsync();
}
